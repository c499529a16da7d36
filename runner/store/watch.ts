import type { Delivery, NewDelivery, Repository } from './intake.ts';

/** The turn of a repository to be looked at. */
export interface Look {
  readonly repository: Repository;
  /** When the last look began that was finished, ms; undefined for the first. */
  readonly since: number | undefined;
  /** Commit of the default branch whose schedules are kept; '' before there was one. */
  readonly schedulesOf: string;
}

/** A ref that is not where the last look saw it; '' stands for a ref that is not there. */
export interface Sighting {
  readonly ref: string;
  readonly was: string;
  readonly commit: string;
  /** What tells of it, if nobody has told yet. */
  readonly delivery?: NewDelivery;
}

/** A time that comes again, as a pipeline file has it. */
export interface Schedule {
  readonly cron: string;
  /** IANA name. */
  readonly timezone: string;
}

export interface PlannedSchedule extends Schedule {
  /** When it comes next, ms. */
  readonly nextAt: number;
}

export interface DueSchedule extends PlannedSchedule {
  readonly repositoryId: string;
}

/**
 * What is known of repositories without being told: where their refs were, and when they want to be run. Several
 * processes may use it; each look and each change of a ref is one process's. Part of the contract suite of the store.
 */
export interface Watch {
  /**
   * Takes the turn of the repository that waits longest, of those that nobody took since `before`, ms. A turn as far in the
   * future as `before` is in the past was taken by a clock that was wrong, and holds up nobody. Those that the asker is busy with
   * are left to others.
   */
  takeLook(now: number, before: number, busyWith?: readonly string[]): Promise<Look | undefined>;
  /** Where the looks at a repository saw its refs. */
  seenRefs(repositoryId: string): Promise<ReadonlyMap<string, string>>;
  /**
   * Remembers where refs are, and stores the deliveries of those that no forge announced since `since`, ms, all in one
   * transaction. Leaves out what another look was quicker to see. Answers what it stored.
   */
  recordSightings(repositoryId: string, sightings: readonly Sighting[], since: number): Promise<readonly Delivery[]>;
  /** The look that began at `at` saw everything. */
  finishLook(repositoryId: string, at: number): Promise<void>;

  /** Puts the schedules of a commit in the place of those before; one that was there keeps its next time. */
  keepSchedules(repositoryId: string, commit: string, schedules: readonly PlannedSchedule[]): Promise<void>;
  /** Those whose time has come, the longest due first. */
  dueSchedules(now: number): Promise<readonly DueSchedule[]>;
  /** Gives it another time, unless somebody has done so. */
  postponeSchedule(due: DueSchedule, nextAt: number): Promise<void>;
}
