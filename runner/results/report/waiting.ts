import type { PlanStep, StepId } from '../../model/plan.ts';
import type { RunState } from '../../model/run-state.ts';

/** Why a step or run has not begun or gone on yet. */
export type Waiting =
  | { readonly for: 'steps'; readonly steps: readonly StepId[] }
  /** A `finally` step: until everything else has ended. */
  | { readonly for: 'end' }
  | { readonly for: 'approval'; readonly message: string; readonly expiresAt: number }
  /** A whole run, until somebody has looked at its commit. */
  | { readonly for: 'review'; readonly commit: string }
  /** `holder` is known where a whole run waits. */
  | { readonly for: 'group'; readonly group: string; readonly holder?: string }
  | { readonly for: 'max-parallel'; readonly limit: number }
  | { readonly for: 'retry'; readonly notBefore: number }
  /** An attempt was started and still lacks something: a node, an image, a volume. */
  | { readonly for: 'executor'; readonly reason: string; readonly message: string }
  /** Nothing but a free place: as many attempts run as `--jobs` allows. */
  | { readonly for: 'place' };

/** Undefined for a step that runs or has ended. */
export function waitingOf(state: RunState, step: PlanStep): Waiting | undefined {
  const current = state.steps.get(step.id);
  if (!current || current.phase === 'settled') return undefined;
  const lacks = current.attempts.at(-1)?.waiting;
  if (lacks) return { for: 'executor', ...lacks };
  if (current.phase === 'running') return undefined;
  if (current.approval) {
    return { for: 'approval', message: current.approval.message, expiresAt: current.approval.expiresAt };
  }
  const steps = unsettledNeeds(state, step);
  if (steps.length > 0) return { for: 'steps', steps };
  if (state.waitingFor) return { for: 'group', ...state.waitingFor };
  if (step.finally && !state.plan.steps.every((other) => other.finally || isSettled(state, other.id))) {
    return { for: 'end' };
  }
  if (current.notBefore !== undefined) return { for: 'retry', notBefore: current.notBefore };
  return step.kind === 'run' ? limitOf(state, step) : { for: 'place' };
}

/** The first steps of a used workflow wait for what the workflow itself waits for. */
function unsettledNeeds(state: RunState, step: PlanStep): readonly StepId[] {
  const unsettled = step.needs.flatMap((need) => need.steps).filter((id) => !isSettled(state, id));
  const own = unsettled.filter((id) => id !== step.inputsFrom);
  if (own.length > 0 || unsettled.length === 0) return own;
  const start = state.plan.steps.find(({ id }) => id === step.inputsFrom);
  return start ? unsettledNeeds(state, start) : unsettled;
}

function limitOf(state: RunState, step: PlanStep & { readonly kind: 'run' }): Waiting {
  const { throttle, concurrency } = step;
  if (throttle && runningIn(state, throttle.group) >= throttle.limit) {
    return { for: 'max-parallel', limit: throttle.limit };
  }
  return concurrency ? { for: 'group', group: concurrency.group } : { for: 'place' };
}

function runningIn(state: RunState, group: string): number {
  return state.plan.steps.filter(
    (step) => step.kind === 'run' && step.throttle?.group === group && state.steps.get(step.id)?.phase === 'running',
  ).length;
}

function isSettled(state: RunState, id: StepId): boolean {
  return state.steps.get(id)?.phase === 'settled';
}
