import type { TriggerEvent } from '../model/run-request.ts';
import type { Repository } from '../store/intake.ts';

/** Refs under which forges keep the heads of pull requests, as patterns of `git ls-remote`. */
export const pullRefs: Readonly<Record<Repository['forge'], readonly string[]>> = {
  github: ['refs/pull/*/head'],
  gitea: ['refs/pull/*/head'],
  gitlab: ['refs/merge-requests/*/head'],
  bitbucket: [],
  git: [],
};

/** The number of the pull request whose head the ref is; undefined for another ref. */
export function pullNumberOf(ref: string): number | undefined {
  const [, number] = /^refs\/(?:pull|merge-requests)\/(\d{1,9})\/head$/.exec(ref) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** What is at a repository now; see `Mirrors.refs`. */
export interface SeenRemote {
  readonly refs: ReadonlyMap<string, string>;
  readonly head: Pick<TriggerEvent, 'commit' | 'ref'> | undefined;
}

/**
 * A pull request as its ref alone tells of it. Nobody says where it comes from, so that it is one of a fork unless its head is
 * that of a branch here, which only those can move who may write. Nor what it wants into: mostly that is the default branch.
 */
export function pullTrigger(number: number, ref: string, commit: string, { refs, head }: SeenRemote): TriggerEvent {
  const [branch] = [...refs].find(([name, at]) => at === commit && name.startsWith('refs/heads/')) ?? [];
  const short = (name = ''): string => name.replace(/^refs\/heads\//, '');
  const pullRequest = { number, base: short(head?.ref), fork: branch === undefined };
  return { event: 'pull_request', ref, branch: short(branch), tag: '', commit, actor: '', pullRequest };
}
