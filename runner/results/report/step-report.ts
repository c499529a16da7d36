import type { PlanStep, StepId } from '../../model/plan.ts';
import type { LogSeal, TestSummary } from '../../model/result.ts';
import type { AttemptState, RunState, StepState } from '../../model/run-state.ts';
import { defined } from './defined.ts';
import { endingOf } from './ending.ts';
import type { Ending } from './ending.ts';
import { groupName, matrixName } from '../../model/step-names.ts';
import { waitingOf } from './waiting.ts';
import type { Waiting } from './waiting.ts';

export interface StepReport extends Ending {
  readonly id: StepId;
  readonly kind: PlanStep['kind'];
  /** The step that stands for the used workflow which this one is part of. */
  readonly group?: StepId;
  /** The step of the file whose matrix this one is a cell of. */
  readonly matrix?: string;
  readonly finally: boolean;
  readonly phase: StepState['phase'];
  readonly waiting?: Waiting;
  /** The earlier run whose result stands here. */
  readonly carriedFrom?: string;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** What a person decided about an approval. */
  readonly approval?: { readonly approved: boolean; readonly by: string; readonly comment: string };
  readonly attempts: readonly AttemptReport[];
  /** Of the last attempt, as are artefacts. */
  readonly tests?: TestSummary;
  readonly artifacts: number;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface AttemptReport extends Ending {
  readonly number: number;
  readonly startedAt: number;
  readonly finishedAt?: number;
  readonly exitCode?: number;
  readonly signal?: string;
  readonly log?: LogSeal;
  readonly notes: readonly string[];
}

export function stepReportOf(state: RunState, step: PlanStep): StepReport {
  const current = state.steps.get(step.id) ?? unknown;
  const last = current.attempts.findLast(({ result }) => result)?.result;
  return {
    id: step.id,
    kind: step.kind,
    ...defined({ group: groupName(step.id), matrix: matrixName(step.id) }),
    finally: step.finally,
    phase: current.phase,
    ...endingOf(current.verdict),
    ...defined({
      waiting: waitingOf(state, step),
      carriedFrom: current.carriedFrom,
      approval: decisionOf(current),
      startedAt: current.attempts[0]?.startedAt,
      finishedAt: current.settledAt,
      tests: last?.tests && summaryOf(last.tests),
    }),
    attempts: current.attempts.map(attemptReport),
    artifacts: last?.artifacts ?? 0,
    outputs: current.outputs,
  };
}

/** Exactly what is promised, whatever else an event may hold. */
function summaryOf({
  tests,
  failures,
  errors,
  skipped,
  flaky,
  files,
  mismatches,
  unreadable,
}: TestSummary): TestSummary {
  return { tests, failures, errors, skipped, flaky, files, mismatches, unreadable };
}

function decisionOf({ approval }: StepState): StepReport['approval'] {
  if (approval?.approved === undefined) return undefined;
  return { approved: approval.approved, by: approval.by ?? '', comment: approval.comment ?? '' };
}

const unknown: StepState = { phase: 'pending', attempts: [], retries: { user: 0, infra: 0 }, outputs: {} };

function attemptReport({ number, startedAt, finishedAt, result }: AttemptState): AttemptReport {
  return {
    number,
    startedAt,
    ...endingOf(result),
    ...defined({ finishedAt, exitCode: result?.exitCode, signal: result?.signal, log: result?.log }),
    notes: result?.notes ?? [],
  };
}
