import { basename } from 'node:path';
import { findRepository } from './find-repository.ts';
import type { Repository } from './find-repository.ts';
import { Git } from './git-command.ts';
import type { GitFolders } from './git-command.ts';
import { listFiles, readBlob, tarOf } from './git-files.ts';
import { readSettings } from './git-settings.ts';
import { readHead, resolveRevision } from './revision.ts';
import { Shadows } from './shadows.ts';
import type { Source, Sources } from './source.ts';
import { writeWorkingTree } from './working-tree.ts';

export interface GitOptions {
  /** Of it git gets PATH, HOME and XDG_CONFIG_HOME. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where changes of working trees are kept while their sources are in use; made when it is missing. */
  readonly temporaryFolder: string;
}

export interface GitSources extends Sources {
  /** Ends the life of all sources that were opened. */
  close(): Promise<void>;
}

/** Sources from repositories on this machine. They are only read: no object, index or reference of them changes. */
export function createGitSources({ environment, temporaryFolder }: GitOptions): GitSources {
  const git = new Git(environment);
  const shadows = new Shadows(temporaryFolder);

  async function openWorkingTree(repository: Repository): Promise<Source> {
    const shadow = await shadows.make();
    try {
      const snapshot = await takeSnapshot(git, repository, shadow);
      if (!snapshot.dirty) await shadows.remove(shadow);
      return snapshot;
    } catch (error) {
      await shadows.remove(shadow);
      throw error;
    }
  }

  return {
    async open(location, commit) {
      const repository = await findRepository(location);
      if (commit === undefined && !repository.bare) return openWorkingTree(repository);
      return openCommit(git, repository, commit ?? 'HEAD');
    },
    close: () => shadows.close(),
  };
}

async function openCommit(git: Git, repository: Repository, revision: string): Promise<Source> {
  const [{ remotes }, { commit, ref }] = await Promise.all([
    readSettings(git, repository),
    resolveRevision(git, repository, revision),
  ]);
  const files = await listFiles(git, repository, commit);
  return sourceOf(git, repository, { repository: nameOf(repository, remotes), commit, ref, dirty: false, files });
}

async function takeSnapshot(git: Git, repository: Repository, shadow: string): Promise<Source> {
  const [{ remotes, reading }, head] = await Promise.all([readSettings(git, repository), readHead(git, repository)]);
  const tree = await writeWorkingTree(git, repository, reading, shadow);
  const files = await listFiles(git, { gitFolder: shadow }, tree);
  const dirty = tree !== head.tree;
  const commit = head.commit ?? '0'.repeat(tree.length);
  const folders = dirty ? { gitFolder: shadow } : repository;
  return sourceOf(git, folders, { repository: nameOf(repository, remotes), commit, ref: head.ref, dirty, files });
}

type Facts = Pick<Source, 'repository' | 'commit' | 'ref' | 'dirty' | 'files'>;

function sourceOf(git: Git, folders: GitFolders, facts: Facts): Source {
  const plain = new Map(facts.files.filter(({ mode }) => mode !== '120000').map((file) => [file.path, file]));
  return {
    ...facts,
    branch: nameIn('refs/heads/', facts.ref),
    tag: nameIn('refs/tags/', facts.ref),
    async read(path, maxBytes) {
      const file = plain.get(path);
      return file && readBlob(git, folders, file, maxBytes);
    },
    tar: () => tarOf(git, folders, facts.files),
  };
}

function nameIn(space: string, ref: string): string {
  return ref.startsWith(space) ? ref.slice(space.length) : '';
}

/** Last part of the first remote's URL, else the name of the folder. */
function nameOf({ root }: Repository, remotes: readonly string[]): string {
  const url = remotes[0]?.replace(/\/+$/, '') ?? '';
  return bareName(url.slice(Math.max(url.lastIndexOf('/'), url.lastIndexOf(':')) + 1)) || bareName(basename(root));
}

function bareName(name: string): string {
  return name.replace(/\.git$/, '');
}
