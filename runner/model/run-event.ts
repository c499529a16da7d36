import type { Json } from './json.ts';
import type { Reason, Verdict } from './outcome.ts';
import type { StepId } from './plan.ts';
import type { Problem } from './problem.ts';
import type { LogSeal, TestSummary } from './result.ts';
import type { RunRequest } from './run-request.ts';

/**
 * What happened to a run, oldest first. The log of events is the only truth: state is a fold over it.
 * Time arrives inside the events (`at`, ms since the epoch). No secret value ever stands in one.
 */
export type RunEvent = { readonly at: number } &
  /** Accepted, and waiting for a runner that reads its pipeline. Runs of the command line begin with `run-created`. */
  (
    | { readonly type: 'run-requested'; readonly runId: string; readonly request: RunRequest }
    /** Somebody looked at the commit of a held run. */
    | ({ readonly type: 'run-reviewed' } & Review)
    /** The pipeline of a requested run has mistakes; `run-finished` follows. */
    | { readonly type: 'run-refused'; readonly problems: readonly Problem[] }
    | {
        readonly type: 'run-created';
        readonly runId: string;
        readonly request: RunRequest;
        readonly pipeline: string;
        /** Concurrency group of the run, '' for none. */
        readonly group: string;
        /** Blob that holds the plan, and blob that holds the commit's files as a tar. */
        readonly plan: string;
        readonly snapshot: string;
        readonly executor: string;
        /** Results taken over from the run that this one repeats. */
        readonly carried: Readonly<Record<StepId, CarriedStep>>;
      }
    | { readonly type: 'run-waiting'; readonly group: string; readonly holder: string }
    | { readonly type: 'run-started' }
    | { readonly type: 'attempt-started'; readonly step: StepId; readonly attempt: number }
    /** The executor knows it now: process group, Job and pod, … */
    | {
        readonly type: 'attempt-placed';
        readonly step: StepId;
        readonly attempt: number;
        readonly place: Readonly<Record<string, Json>>;
      }
    /** Why it does not run yet, in the executor's words; '' once it waits no longer. */
    | {
        readonly type: 'attempt-waiting';
        readonly step: StepId;
        readonly attempt: number;
        readonly reason: Reason | '';
        readonly message: string;
      }
    /** The command's own word that it succeeded, and what it gives; the proof comes with the end. */
    | {
        readonly type: 'attempt-reported';
        readonly step: StepId;
        readonly attempt: number;
        readonly word: StepWord;
      }
    | ({
        readonly type: 'attempt-finished';
        readonly step: StepId;
        readonly attempt: number;
        readonly result: AttemptRecord;
      } & Next)
    /** A step that ends without an attempt: skipped, group, approval, expression that cannot be evaluated. */
    | {
        readonly type: 'step-settled';
        readonly step: StepId;
        readonly verdict: Verdict;
        readonly outputs: Readonly<Record<string, string>>;
      }
    | {
        readonly type: 'approval-requested';
        readonly step: StepId;
        readonly message: string;
        readonly expiresAt: number;
      }
    | {
        readonly type: 'approval-given';
        readonly step: StepId;
        readonly approved: boolean;
        readonly by: string;
        readonly comment: string;
      }
    | {
        readonly type: 'cancel-requested';
        readonly by: string;
        readonly reason: Extract<Reason, 'cancelled' | 'interrupted' | 'superseded' | 'run_timeout'>;
      }
    | { readonly type: 'run-finished'; readonly verdict: Verdict }
  );

/** Whether a commit may run, and who says so. It is good for this commit only. */
export interface Review {
  readonly commit: string;
  readonly approved: boolean;
  readonly by: string;
  /** Why, '' for no words. */
  readonly comment: string;
}

/** Decided when the attempt ended and kept in the event, so that a later release replays it the same way. */
interface Next {
  readonly next:
    | { readonly kind: 'settle' }
    /** As if it had not been: the step begins when its needs allow it. */
    | { readonly kind: 'again' }
    | { readonly kind: 'retry'; readonly notBefore: number; readonly cause: 'user' | 'infra' };
}

/** What steps that need this one may begin with before its success is proven. */
export interface StepWord {
  readonly outputs: Readonly<Record<string, string>>;
  readonly handover?: string;
}

/** What an attempt that was started still lacks: a node, an image, a volume. */
export interface AttemptWaiting {
  readonly reason: Reason;
  readonly message: string;
}

/** The proof of an attempt: what the executor saw, what was collected, and the verdict over all of it. */
export interface AttemptRecord extends Verdict {
  readonly exitCode?: number;
  readonly signal?: string;
  /** When the user's command ran, where the executor knows it. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly log?: LogSeal;
  readonly tests?: TestSummary;
  readonly artifacts: number;
  readonly outputs: Readonly<Record<string, string>>;
  /** Blob of the tar with the files handed to the steps that need this one. */
  readonly handover?: string;
  /** Remarks for people: a cache hit, a service's version, a file that matched nothing. */
  readonly notes: readonly string[];
}

export interface CarriedStep {
  readonly fromRun: string;
  readonly verdict: Verdict;
  readonly outputs: Readonly<Record<string, string>>;
  readonly handover?: string;
}

/** An event as the store gives it back: `version` counts from 1 within its run. */
export type StoredEvent = RunEvent & { readonly version: number };
