import type { Checked } from '../model/problem.ts';
import type { Plan, StepId } from '../model/plan.ts';
import type { Review, StoredEvent } from '../model/run-event.ts';
import type { RunRequest, TriggerEvent } from '../model/run-request.ts';
import type { RunState } from '../model/run-state.ts';
import type { TraceParent } from '../model/trace-parent.ts';
import type { Source } from '../sources/source.ts';
import type { Schedule } from '../store/watch.ts';

export interface PrepareOptions {
  /** Folder of a repository. */
  readonly location: string;
  /** Undefined: the working tree as it is now. */
  readonly commit?: string;
  /** Pipeline file inside the repository. */
  readonly file: string;
  readonly event: TriggerEvent['event'];
  readonly actor: string;
  /** To be looked at and not run: secrets need not be there. */
  readonly onlyToLook?: boolean;
}

/** A commit and its compiled pipeline; nothing is stored yet. */
export interface PreparedRun {
  readonly request: RunRequest;
  readonly source: Source;
  readonly plan: Plan;
}

/** Sees a run from inside while it is driven. Called in order and not awaited. */
export interface RunObserver {
  event(state: RunState, event: StoredEvent): void;
  /** Masked bytes, in the order in which they were stored. */
  log(step: StepId, attempt: number, chunk: Uint8Array): void;
}

/** What a rerun repeats; every other step that succeeded is carried over with its outputs. */
export type RerunScope = { readonly kind: 'failed' } | { readonly kind: 'from'; readonly step: StepId };

export interface Engine {
  /** Runs are about to come: what takes time to open is opened meanwhile. What runners left behind that are gone is taken away. */
  anticipate(): void;
  /** Opens the commit and compiles its pipeline. Abilities of the executor and, unless it is only to be looked at, secrets that are missing are problems too. */
  prepare(options: PrepareOptions): Promise<Checked<PreparedRun>>;
  /** The schedules of the pipeline file of a commit; none when it has no such file or one with mistakes. ERR_SOURCE. */
  schedules(location: string, commit: string, file: string): Promise<readonly Schedule[]>;
  /** Stores a new run and answers its id; `drive` runs it. */
  start(prepared: PreparedRun): Promise<string>;
  /**
   * Takes a run that waits for a runner: one whose process is gone and that can go on, or else the queued one whose turn
   * it is, of a repository with fewer than `most` under way. Undefined when there is none.
   */
  take(most: number): Promise<string | undefined>;
  /**
   * Reads the pipeline of a queued run from the folder that `locate` answers, and records its plan, or ends the run with
   * what is wrong. Does nothing when it has a plan already.
   */
  plan(runId: string, locate: (request: RunRequest) => Promise<string>): Promise<RunState>;
  /** Stores a run that repeats part of a finished one, with the same commit and plan. ERR_USAGE when there is nothing to repeat. */
  rerun(runId: string, scope: RerunScope): Promise<string>;
  /** As `rerun`, but the run waits in the queue for a runner, with the priority of the one that it repeats. */
  queueRerun(runId: string, scope: RerunScope, traceParent?: TraceParent): Promise<string>;
  /** Drives a run to its end. Aborting the signal cancels it (`interrupted`) and still waits for the clean end. */
  drive(runId: string, observer: RunObserver, signal: AbortSignal): Promise<RunState>;
  /** The fold over a run's events. ERR_NOT_FOUND for an unknown run. */
  state(runId: string): Promise<RunState>;
  /** Wishes from outside: picked up by the process that drives the run. ERR_USAGE when the run or step is not in such a state. */
  cancel(runId: string, by: string): Promise<void>;
  approve(
    runId: string,
    step: StepId,
    decision: { readonly approved: boolean; readonly by: string; readonly comment: string },
  ): Promise<void>;
  /** Whether the commit of a held run may run. ERR_CONFLICT when it is of another commit, ERR_USAGE when the run is not held. */
  review(runId: string, review: Review): Promise<void>;
  /** Ends runs whose process is gone as `runner_lost`, after their executor removed what was left; answers their ids. */
  recover(): Promise<readonly string[]>;
}
