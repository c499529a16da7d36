import type { Json } from './json.ts';
import type { TraceParent } from './trace-parent.ts';

/** What made a run start, in the words that conditions use. */
export interface TriggerEvent {
  readonly event: 'push' | 'pull_request' | 'schedule' | 'manual';
  /** Full ref, `refs/heads/main`. */
  readonly ref: string;
  /** '' unless the ref is a branch; for a pull request the branch of its head. */
  readonly branch: string;
  /** '' unless the ref is a tag. */
  readonly tag: string;
  /** 40 or 64 hex digits. */
  readonly commit: string;
  readonly actor: string;
  readonly pullRequest?: {
    readonly number: number;
    readonly base: string;
    readonly fork: boolean;
    /** It is none of a fork, and the forge says that who opened it may not write here, or does not say who sent it. */
    readonly outsider?: true;
  };
  /** Paths that changed against the previous state, where known; path filters match all when it is absent. */
  readonly changedPaths?: readonly string[];
}

/** A commit status at the forge, or a subscriber of completion events; `name` is looked up in the configuration. */
export interface NoticeTarget {
  readonly kind: 'status' | 'events';
  readonly name: string;
}

/** Whether the code is somebody's who may not write to the repository: it gets no secrets, environments or caches of others. */
export function isUntrusted({ pullRequest }: Pick<TriggerEvent, 'pullRequest'>): boolean {
  return pullRequest?.fork === true || pullRequest?.outsider === true;
}

/** Whom the request runs the code of: caches of the one are never read or written by the other. */
export function trustScope({ repository, trigger }: RunRequest): string {
  // Whoever may fork writes what the steps do. A name of a repository has no spaces.
  return isUntrusted(trigger) ? `${repository} fork ${trigger.pullRequest?.number ?? ''}` : repository;
}

/** Which priorities a run may have; 0 is that of a run for which nobody asked for another. */
export const priorityBounds = { least: -100, most: 100 } as const;

export interface RunRequest {
  /** Name of the backend or folder that people know it by. */
  readonly repository: string;
  readonly trigger: TriggerEvent;
  /** The pipeline file inside the repository. */
  readonly file: string;
  /** Text of a pipeline that was sent with the request and stands for the file. */
  readonly inline?: string;
  /** The working tree had changes that are not in the commit, and they are part of the run. */
  readonly dirty: boolean;
  /** No runner reads its pipeline before somebody has approved the commit. */
  readonly held?: true;
  /** Id of the repository as the server knows it; absent for a folder of this machine. */
  readonly repositoryId?: string;
  /** Who is told how the run goes, besides those who ask. */
  readonly notify?: readonly NoticeTarget[];
  /** Of the queued runs of a repository the highest is begun first, see `priorityBounds`; absent for 0. */
  readonly priority?: number;
  /** The span that asked for the run, which its trace is a part of. */
  readonly traceParent?: TraceParent | undefined;
  readonly rerunOf?: string;
  readonly labels?: Readonly<Record<string, Json>>;
}
