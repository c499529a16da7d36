import type { RunEvent } from '../model/run-event.ts';
import type { Lease, Owner } from './store.ts';

/** `git`: a plain repository, whose pushes are announced by a bridge or found by polling. */
type ForgeName = 'github' | 'gitlab' | 'gitea' | 'bitbucket' | 'git';

/** A repository whose pushes become runs. */
export interface Repository {
  /** Ours, random; the address of its webhook ends with it. */
  readonly id: string;
  /** Unique; what `RunRow.repository` says. */
  readonly name: string;
  readonly forge: ForgeName;
  /** The forge's own number of it, bound by its first delivery; '' until then. */
  readonly forgeId: string;
  readonly cloneUrl: string;
  /** Path of the pipeline file. */
  readonly file: string;
  /** What a pull request from a fork starts; `approve`: a run that waits until somebody has looked at its commit. */
  readonly forks: 'ignore' | 'approve' | 'run';
  /** Sealed by `secret-box.ts`; '' for none. */
  readonly secrets: string;
  readonly createdAt: number;
}

/** The `event` of a delivery that nobody sent: a look at the refs found what it tells. */
export const foundByLook = 'poll';

/** How an announcement of a change ended. `duplicate`: it announced what another had announced. */
export interface Delivery {
  /** Ours, random. */
  readonly id: string;
  readonly repositoryId: string;
  /** The forge's id of it; unique per repository. */
  readonly forgeId: string;
  /** What it was called by whoever sent it: `push`, `Merge Request Hook`, `poll`, … */
  readonly event: string;
  readonly receivedAt: number;
  readonly outcome: 'run' | 'duplicate' | 'ignored';
  /** Why it was ignored, or which delivery it repeats; '' for a run. */
  readonly reason: string;
  readonly runId?: string;
  /** Blob of the bytes as they came, for a replay; '' when none were kept. */
  readonly payload: string;
}

export type RunRequested = RunEvent & { readonly type: 'run-requested' };

export interface NewDelivery {
  readonly delivery: Omit<Delivery, 'outcome' | 'runId'>;
  /** The forge's number of the repository, to be bound or compared; '' where the announcement has none. */
  readonly boundTo: string;
  /** Absent when it starts nothing. `change` names the change itself: the same change is run once. */
  readonly run?: { readonly event: RunRequested; readonly change: string };
  /**
   * Names the ref and the commit that a push left it at, whatever it was at before. What a look found is the same change
   * as the first announcement of that head.
   */
  readonly head?: string;
}

export interface DeliveryFilter {
  /** Of these repositories only. */
  readonly repositoryIds?: readonly string[];
  readonly after?: string;
  readonly limit?: number;
}

export interface QueueDepth {
  readonly ready: number;
  readonly held: number;
}

/**
 * Where runs of a server come from: repositories, announcements of changes, and the queue of what nobody has begun.
 * Part of the contract suite of the store.
 */
export interface Intake {
  /** ERR_CONFLICT when the name is taken. */
  addRepository(repository: Repository): Promise<void>;
  /** Takes away the repository; its runs stay. ERR_NOT_FOUND. */
  removeRepository(id: string): Promise<void>;
  repository(id: string): Promise<Repository | undefined>;
  repositoryNamed(name: string): Promise<Repository | undefined>;
  /** By name. */
  repositories(): Promise<readonly Repository[]>;

  /**
   * Stores an announcement and the run that it asks for in one transaction, or answers what was stored when it came
   * before, or when the change did. ERR_FORBIDDEN when it speaks of another repository than the one that is bound.
   */
  deliver(announced: NewDelivery): Promise<Delivery>;
  /** Newest first. */
  deliveries(filter: DeliveryFilter): Promise<readonly Delivery[]>;
  delivery(id: string): Promise<Delivery | undefined>;

  /** Stores a run for whoever takes it. ERR_CONFLICT when the id is taken. */
  enqueue(event: RunRequested): Promise<void>;
  /**
   * Gives the owner the queued run whose turn it is. Of each repository that is the one with the highest priority, then the
   * oldest; of those the one whose repository has the fewest runs under way, then the oldest. Repositories with `most` runs under way wait, and so do held runs that nobody has reviewed. Undefined when there is nothing to do.
   */
  takeQueued(owner: Owner, most: number): Promise<Lease | undefined>;
  /** How many runs nobody has begun; those that are held for a review are counted apart. */
  queueDepth(): Promise<QueueDepth>;
}
