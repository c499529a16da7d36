import type { Readable } from 'node:stream';
import type { RunEvent, StoredEvent } from '../model/run-event.ts';
import type { ArtifactEntry, AttemptKey, TestCase } from '../model/result.ts';
import type { Outcome } from '../model/outcome.ts';

/** Who drives a run. The store judges whether an owner still lives. */
export interface Owner {
  /** Unique per process. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Tells this process from a later one with the same pid; '' where the system does not say. */
  readonly startedAt: string;
}

/** No process has this owner: its runs wait in the queue for one that takes them. */
export const nobody: Owner = { id: '', host: '', pid: 0, startedAt: '' };

/** The right to append to a run. A newer lease on the same run makes every older one invalid (fencing). */
export interface Lease {
  readonly runId: string;
  readonly fence: number;
  /**
   * Aborted some time before others may take the run over: who acts for the run stops at once and leaves the rest to them.
   * Absent where a lease ends with its process only.
   */
  readonly lost?: AbortSignal;
}

/** One line of `sluice runs`: a projection of the events, kept in the same transaction. */
export interface RunRow {
  readonly runId: string;
  readonly repository: string;
  readonly pipeline: string;
  readonly branch: string;
  readonly commit: string;
  readonly event: string;
  readonly phase: 'queued' | 'created' | 'waiting' | 'running' | 'finished';
  readonly outcome?: Outcome;
  readonly reason?: string;
  /** See `priorityBounds`. */
  readonly priority: number;
  readonly createdAt: number;
  readonly finishedAt?: number;
  readonly version: number;
  /** Concurrency group that the run holds or waits for, '' for none. */
  readonly group: string;
}

export interface RunFilter {
  readonly repository?: string;
  /** Any of these. */
  readonly repositories?: readonly string[];
  readonly commit?: string;
  readonly event?: string;
  readonly branch?: string;
  readonly outcome?: Outcome;
  readonly phase?: RunRow['phase'];
  readonly group?: string;
  /** Newest first; continue behind this run. */
  readonly after?: string;
  readonly limit?: number;
}

/** What others than the driving process may add to a run. */
export type RunWish = RunEvent & { readonly type: 'cancel-requested' | 'approval-given' | 'run-reviewed' };

export interface NewRun {
  readonly row: Omit<RunRow, 'version' | 'phase' | 'outcome' | 'reason' | 'finishedAt'>;
  readonly event: RunEvent & { readonly type: 'run-created' };
}

/**
 * The durable memory of Sluice: events, projections of them, and what attempts left behind. What a method has resolved
 * for is on disk: `kill -9` after it loses nothing. Every implementation passes `store-contract.ts`.
 */
export interface Store {
  /** Stores a new run with its first event and gives its lease to `owner`, who may be `nobody`. ERR_CONFLICT when the id is taken. */
  createRun(run: NewRun, owner: Owner): Promise<Lease>;
  /**
   * Appends in one transaction, projections included, and answers the new version. ERR_CONFLICT when `expected` is not
   * the run's version or the lease is not the newest: read again and decide again.
   */
  append(lease: Lease, expected: number, events: readonly RunEvent[]): Promise<number>;
  /** Appends a wish from outside the driving process (cancel, approval) without a lease; retries conflicts by itself. */
  request(runId: string, event: RunWish): Promise<number>;
  /** Events behind version `after` (0: all), oldest first. ERR_NOT_FOUND for an unknown run. */
  events(runId: string, after?: number): Promise<readonly StoredEvent[]>;
  /**
   * A number that grows soon after every change by any process, at the latest after a few seconds; equal numbers mean that
   * none is known. Cheap to poll.
   */
  changes(): Promise<number>;

  run(runId: string): Promise<RunRow | undefined>;
  runs(filter: RunFilter): Promise<readonly RunRow[]>;
  /** Full id for a unique prefix, or for `latest`. ERR_NOT_FOUND, or ERR_USAGE when the prefix fits several. */
  resolve(idOrPrefix: string): Promise<string>;

  /** Takes over a run whose owner is dead (or which this owner holds); undefined while its owner lives. */
  claim(runId: string, owner: Owner): Promise<Lease | undefined>;
  /** Unfinished runs whose owner is dead. */
  abandoned(): Promise<readonly RunRow[]>;
  /**
   * Takes the concurrency group for a holder (`runId` or `runId/step`); answers the present holder, which is the
   * asker itself on success. Freed by `release` and by the end of the holder's run. ERR_CONFLICT when the lease is not
   * the newest or the run has ended.
   */
  acquire(lease: Lease, group: string, holder: string): Promise<string>;
  release(lease: Lease, group: string, holder: string): Promise<void>;

  /**
   * Results of an attempt; saving again replaces them. Saved before the event that makes them count. ERR_CONFLICT when
   * the lease is not the newest.
   */
  saveTests(lease: Lease, key: AttemptKey, cases: AsyncIterable<readonly TestCase[]>): Promise<void>;
  tests(key: AttemptKey): AsyncIterable<TestCase>;
  saveArtifacts(lease: Lease, key: AttemptKey, entries: readonly ArtifactEntry[]): Promise<void>;
  artifacts(key: AttemptKey): Promise<readonly ArtifactEntry[]>;

  /** Newest cache whose key is `key`; its blob, or undefined. */
  cache(scope: string, key: string): Promise<string | undefined>;
  /** First writer wins: a key never changes its content. */
  saveCache(scope: string, key: string, blob: string): Promise<void>;

  close(): Promise<void>;
}

/** Immutable bytes by sha256. A blob is readable only when it is whole: temporary file, fsync, rename. */
export interface Blobs {
  put(content: Readable): Promise<{ readonly sha256: string; readonly bytes: number }>;
  /** `end` is exclusive. ERR_NOT_FOUND; a whole read that does not match the digest ends in ERR_CORRUPT. */
  open(sha256: string, range?: { readonly start: number; readonly end?: number }): Promise<Readable>;
  size(sha256: string): Promise<number | undefined>;
}
