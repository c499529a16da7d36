import type { Verdict } from './outcome.ts';
import type { Plan, StepId } from './plan.ts';
import type { Problem } from './problem.ts';
import type { AttemptRecord, AttemptWaiting, CarriedStep, Review, RunEvent, StepWord } from './run-event.ts';
import type { RunRequest } from './run-request.ts';
import type { Json } from './json.ts';

export interface AttemptState {
  readonly number: number;
  readonly startedAt: number;
  readonly place?: Readonly<Record<string, Json>>;
  readonly waiting?: AttemptWaiting;
  readonly finishedAt?: number;
  readonly result?: AttemptRecord;
}

export interface StepState {
  /** `ready to retry` is `waiting` with a `notBefore`; `settled` never changes again. */
  readonly phase: 'pending' | 'running' | 'waiting' | 'awaiting-approval' | 'settled';
  readonly attempts: readonly AttemptState[];
  readonly notBefore?: number;
  readonly retries: { readonly user: number; readonly infra: number };
  readonly approval?: {
    readonly message: string;
    readonly expiresAt: number;
    readonly by?: string;
    readonly approved?: boolean;
    /** Why, '' for no words. */
    readonly comment?: string;
  };
  /** While it runs: its own word that it succeeded. */
  readonly word?: StepWord;
  readonly carriedFrom?: string;
  readonly verdict?: Verdict;
  readonly outputs: Readonly<Record<string, string>>;
  readonly handover?: string;
  readonly settledAt?: number;
}

export interface RunState {
  readonly runId: string;
  readonly plan: Plan;
  readonly request: RunRequest;
  readonly executor: string;
  readonly snapshot: string;
  readonly carried: Readonly<Record<StepId, CarriedStep>>;
  readonly version: number;
  /** `queued`: nobody has read the pipeline yet, and the plan is empty. */
  readonly phase: 'queued' | 'created' | 'waiting' | 'running' | 'finished';
  readonly waitingFor?: { readonly group: string; readonly holder: string };
  readonly steps: ReadonlyMap<StepId, StepState>;
  readonly cancel?: {
    readonly at: number;
    readonly by: string;
    readonly reason: Extract<RunEvent, { type: 'cancel-requested' }>['reason'];
  };
  /** What somebody said of the commit of a held run; the first word counts. */
  readonly review?: Review;
  /** Why there is no plan. */
  readonly problems?: readonly Problem[];
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly verdict?: Verdict;
}

/** Nobody has said yet whether its commit may run. A word about another commit is none. */
export function isHeld({ request, review }: Pick<RunState, 'request' | 'review'>): boolean {
  return request.held === true && review?.commit !== request.trigger.commit;
}
