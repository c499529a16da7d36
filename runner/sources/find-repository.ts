import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { SluiceError } from '../model/errors.ts';

/** Where a repository keeps its parts. All paths are real ones. */
export interface Repository {
  /** The folder people mean: that of the working tree, or of a bare repository. */
  readonly root: string;
  /** HEAD and index. */
  readonly gitFolder: string;
  /** Objects, branches and configuration; another folder than `gitFolder` in a linked worktree. */
  readonly commonFolder: string;
  readonly bare: boolean;
}

/**
 * The repository that a folder belongs to. Found without git, which refuses other users' repositories because of what
 * their configuration may start; Sluice starts nothing of it. ERR_SOURCE when there is none.
 */
export async function findRepository(location: string): Promise<Repository> {
  const start = await realpath(location).catch(() => undefined);
  if (start === undefined)
    throw new SluiceError('ERR_SOURCE', `${location} does not exist`, { hint: 'Name the folder of a repository.' });
  for (let folder = start; ; folder = dirname(folder)) {
    const repository = (await withWorkTree(folder)) ?? (await bareRepository(folder));
    if (repository !== undefined) return repository;
    if (folder === dirname(folder)) throw notFound(location);
  }
}

async function withWorkTree(root: string): Promise<Repository | undefined> {
  const gitFolder = await linkedFolder(join(root, '.git'));
  if (gitFolder === undefined || !(await exists(join(gitFolder, 'HEAD')))) return undefined;
  return { root, gitFolder, commonFolder: await commonFolderOf(gitFolder), bare: false };
}

async function bareRepository(folder: string): Promise<Repository | undefined> {
  for (const part of ['HEAD', 'objects', 'refs']) if (!(await exists(join(folder, part)))) return undefined;
  return { root: folder, gitFolder: folder, commonFolder: folder, bare: true };
}

/** `.git` is the folder itself, or in worktrees and submodules a file that names it. */
async function linkedFolder(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (found.isDirectory()) return path;
  const target = /^gitdir: (.+)$/m.exec(await readFile(path, 'utf8'))?.[1];
  return target === undefined ? undefined : resolve(dirname(path), target);
}

async function commonFolderOf(gitFolder: string): Promise<string> {
  const target = await readFile(join(gitFolder, 'commondir'), 'utf8').catch(() => '.');
  return resolve(gitFolder, target.trim());
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function notFound(location: string): SluiceError {
  return new SluiceError('ERR_SOURCE', `${location} is in no git repository`, {
    hint: 'Make one with `git init`, or name the folder of another one.',
  });
}
