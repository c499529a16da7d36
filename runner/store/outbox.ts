import type { NoticeTarget, RunRequest } from '../model/run-request.ts';
import type { RunRow } from './store.ts';

/**
 * What a target has to be told about a run: `queued` and `running` for a commit status, `finished` for both kinds.
 * `version` is that of the event that says so; run, version and target together name the message for good.
 */
export interface Notice {
  readonly target: NoticeTarget;
  readonly runId: string;
  readonly version: number;
  readonly state: 'queued' | 'running' | 'finished';
  /** When it came to be, in ms since the epoch. */
  readonly at: number;
  /** How often it was taken, this time included. */
  readonly attempts: number;
  /** The run as it is now: at a `finished` notice for good. */
  readonly run: RunRow;
  readonly request: RunRequest;
}

/**
 * What is still to be told to the outside. The store writes notices by itself, in the transaction of the event that
 * causes them, for every target that the run's request names. A commit status knows the last state of a run only;
 * subscribers get what concerns them one after the other, in the order of `at`. Part of the contract suite of the store.
 *
 * A notice is taken for a while, then settled or postponed. Whoever dies in between loses nothing: it becomes due again.
 */
export interface Outbox {
  /** Takes what is due at `now`, oldest first, `most` at most; nobody else gets it before `now + leaseMs`. */
  takeNotices(now: number, leaseMs: number, most: number): Promise<readonly Notice[]>;
  /** It was told, or never will be: forgets it, unless a newer state has taken its place or another process has. */
  settleNotice(notice: Notice): Promise<void>;
  /** It could not be told; not again before `notBefore`, and what waits behind it neither. As `settleNotice` otherwise. */
  postponeNotice(notice: Notice, notBefore: number): Promise<void>;
  /** When the next notice becomes due, in ms since the epoch; undefined when there is none. */
  nextNotice(): Promise<number | undefined>;
}
