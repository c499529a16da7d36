import type { TestSummary, TestTotals } from '../../model/result.ts';
import type { RunRequest } from '../../model/run-request.ts';
import { publicProblem } from '../../model/problem.ts';
import { isHeld } from '../../model/run-state.ts';
import type { RunState } from '../../model/run-state.ts';
import type { Review } from '../../model/run-event.ts';
import { defined } from './defined.ts';
import { endingOf } from './ending.ts';
import type { Ending } from './ending.ts';
import { stepReportOf } from './step-report.ts';
import type { StepReport } from './step-report.ts';
import type { Waiting } from './waiting.ts';

/** What people and programs read about a run: `schemas/cli.schema.json#/$defs/runReport`. Times are ms since the epoch. */
export interface RunReport extends Ending {
  readonly runId: string;
  readonly pipeline: string;
  readonly request: RunRequest;
  readonly executor: string;
  readonly phase: RunState['phase'];
  readonly waiting?: Waiting;
  readonly cancelledBy?: string;
  /** What somebody said of the commit of a held run. */
  readonly review?: Review;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** Over all steps; absent when no step has test reports. */
  readonly tests?: TestTotals;
  readonly artifacts: number;
  /** Mistakes of the pipeline file, for which there is no plan. */
  readonly problems?: readonly ReturnType<typeof publicProblem>[];
  /** In plan order. */
  readonly steps: readonly StepReport[];
}

export function reportOf(state: RunState): RunReport {
  const steps = state.plan.steps.map((step) => stepReportOf(state, step));
  return {
    runId: state.runId,
    pipeline: state.plan.pipeline,
    request: state.request,
    executor: state.executor,
    phase: state.phase,
    ...endingOf(state.verdict),
    ...(state.waitingFor && { waiting: { for: 'group', ...state.waitingFor } as const }),
    ...(isWaitingForReview(state) && { waiting: { for: 'review', commit: state.request.trigger.commit } as const }),
    ...(state.review && { review: state.review }),
    ...(state.cancel && { cancelledBy: state.cancel.by }),
    createdAt: state.createdAt,
    ...defined({ startedAt: state.startedAt, finishedAt: state.finishedAt }),
    ...totalsOf(steps),
    ...(state.problems && { problems: state.problems.map(publicProblem) }),
    steps,
  };
}

function isWaitingForReview(state: RunState): boolean {
  return state.phase === 'queued' && isHeld(state);
}

/** Tests and artefacts of all steps. */
export function totalsOf(steps: readonly StepReport[]): Pick<RunReport, 'tests' | 'artifacts'> {
  const tests = totals(steps.flatMap((step) => step.tests ?? []));
  return { ...(tests && { tests }), artifacts: sum(steps, (step) => step.artifacts) };
}

function totals(summaries: readonly TestSummary[]): TestTotals | undefined {
  if (summaries.length === 0) return undefined;
  return {
    tests: sum(summaries, (summary) => summary.tests),
    failures: sum(summaries, (summary) => summary.failures),
    errors: sum(summaries, (summary) => summary.errors),
    skipped: sum(summaries, (summary) => summary.skipped),
    flaky: sum(summaries, (summary) => summary.flaky),
  };
}

function sum<Item>(items: readonly Item[], numberOf: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += numberOf(item);
  return total;
}
