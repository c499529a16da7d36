import { SluiceError } from '../model/errors.ts';
import type { Repository } from './find-repository.ts';
import type { Git } from './git-command.ts';

export interface Revision {
  /** 40 or 64 hex digits. */
  readonly commit: string;
  /** Full name when the revision is that of a branch or tag, else ''. */
  readonly ref: string;
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
  return { commit: id, ref: refOf(ref.output) };
}

/** What is checked out. Commit and tree are absent before the first commit; the ref is '' when HEAD is detached. */
export async function readHead(
  git: Git,
  { gitFolder }: Repository,
): Promise<{ readonly commit?: string; readonly tree?: string; readonly ref: string }> {
  const [head, branch] = await Promise.all([
    git.ask({ gitFolder }, ['rev-parse', '--quiet', 'HEAD^{commit}', 'HEAD^{tree}', '--']),
    git.ask({ gitFolder }, ['symbolic-ref', '--quiet', 'HEAD']),
  ]);
  const ref = refOf(branch.output);
  const [commit, tree] = head.output.toString().split('\n');
  return head.code === 0 && commit !== undefined && tree !== undefined ? { commit, tree, ref } : { ref };
}

function refOf(output: Buffer): string {
  const ref = output.toString().trim();
  return ref.startsWith('refs/') ? ref : '';
}
