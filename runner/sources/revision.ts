import { SluiceError } from '../model/errors.ts';
import type { Repository } from './find-repository.ts';
import type { Git } from './git-command.ts';

export interface Revision {
  /** 40 or 64 hex digits. */
  readonly commit: string;
  /** Full name when the revision is that of a branch or tag, else ''. */
  readonly ref: string;
}

interface Head extends Revision {
  readonly tree: string;
}

/** The commit that a revision typed by a user means. ERR_SOURCE when it means none. */
export async function resolveRevision(git: Git, { root, gitFolder }: Repository, revision: string): Promise<Revision> {
  const unknown = new SluiceError('ERR_SOURCE', `${JSON.stringify(revision)} is no commit of ${root}`, {
    hint: 'Name a branch, a tag or a commit; `git log --oneline --all` lists them.',
  });
  if (revision.startsWith('-') || revision.includes('\0')) throw unknown;
  const [commit, ref] = await Promise.all([
    git.ask({ gitFolder }, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`]),
    git.ask({ gitFolder }, ['rev-parse', '--verify', '--quiet', '--symbolic-full-name', '--end-of-options', revision]),
  ]);
  const id = commit.output.toString().trim();
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(id)) throw unknown;
  return { commit: id, ref: refOf(ref.output.toString()) };
}

/** What is checked out. Commit and tree are absent before the first commit; the ref is '' when HEAD is detached. */
export async function readHead(git: Git, { gitFolder }: Repository): Promise<Partial<Head> & Pick<Head, 'ref'>> {
  const wanted = ['HEAD^{commit}', 'HEAD^{tree}', '--symbolic-full-name', 'HEAD'];
  const { code, output } = await git.ask({ gitFolder }, ['rev-parse', ...wanted]);
  const [commit, tree, name] = output.toString().split('\n');
  if (code === 0 && commit !== undefined && tree !== undefined) return { commit, tree, ref: refOf(name) };
  const branch = await git.ask({ gitFolder }, ['symbolic-ref', '--quiet', 'HEAD']);
  return { ref: refOf(branch.output.toString()) };
}

function refOf(output = ''): string {
  const name = output.trim();
  return name.startsWith('refs/') ? name : '';
}
