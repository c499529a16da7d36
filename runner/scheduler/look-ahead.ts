import type { PlanStep, RunStep, StepId } from '../model/plan.ts';
import type { AttemptState, RunState } from '../model/run-state.ts';
import { quantity } from '../model/quantity.ts';
import { mayTrust } from './needs-of.ts';

/** What may wait idle for one run. */
export interface IdleBudget {
  readonly attempts: number;
  /** Cores that their steps request. */
  readonly cpu: number;
  /** Bytes that their steps request. */
  readonly memory: number;
}

/** What starts beside the first attempt takes processors from the one that everything waits for. */
const mostAtFirst = 2;

/**
 * How long it is ahead of more than those. A kubelet looks once in 300 ms whether the volumes of a new pod are there (`podAttachAndMountRetryInterval`),
 * and until then has nothing to do for it: the wait of those that come later falls into the time in which the first ones start.
 */
const headStartMs = 200;

/**
 * Steps that will begin soon if all goes well, in plan order, as far as the budget goes: those behind steps that run, and those
 * behind these. An executor may prepare them, so that they begin at once. Only steps that can do no harm by waiting: no secrets,
 * no condition, no group to hold. Few until the first attempt has its place, or its head start.
 */
export function lookAhead(state: RunState, budget: IdleBudget, now: number): readonly RunStep[] {
  if (state.phase !== 'running' || state.cancel) return [];
  const limit = hasItsStart(state, now) ? budget.attempts : Math.min(budget.attempts, mostAtFirst);
  const hopeful = new Set<StepId>();
  const ahead: RunStep[] = [];
  for (const step of state.plan.steps) {
    const current = state.steps.get(step.id);
    if (current?.phase === 'running' || current?.verdict?.outcome === 'succeeded') hopeful.add(step.id);
    else if (
      current?.phase === 'pending' &&
      isNear(step, hopeful) &&
      ahead.length < limit &&
      fits([...ahead, step], budget)
    ) {
      ahead.push(step);
      hopeful.add(step.id);
    }
  }
  return ahead;
}

function fits(steps: readonly RunStep[], { cpu, memory }: IdleBudget): boolean {
  const requested = (name: 'cpu' | 'memory'): number =>
    steps.reduce((sum, { resources }) => sum + (quantity(resources[name] ?? '0') ?? 0), 0);
  return requested('cpu') <= cpu && requested('memory') <= memory;
}

function isNear(step: PlanStep, hopeful: ReadonlySet<StepId>): step is RunStep {
  return (
    mayTrust(step) && step.needs.length > 0 && step.needs.every((need) => need.steps.every((id) => hopeful.has(id)))
  );
}

function hasItsStart({ steps }: RunState, now: number): boolean {
  const isAhead = ({ place, startedAt }: AttemptState): boolean =>
    place !== undefined || startedAt + headStartMs <= now;
  return steps.values().some(({ attempts }) => attempts.some(isAhead));
}
