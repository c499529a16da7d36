import type { Command } from '../model/command.ts';
import { reasons, verdictOf } from '../model/outcome.ts';
import type { Verdict } from '../model/outcome.ts';
import type { PlanStep, RunStep, StepId } from '../model/plan.ts';
import type { RunState, StepState } from '../model/run-state.ts';
import { decideReady } from './decide-ready.ts';
import { needsOf } from './needs-of.ts';
import { outcomesOf, worst } from './scope.ts';

export interface DecideContext {
  readonly now: number;
  /** How many attempts of this run may be under way at once. */
  readonly capacity: number;
  /** Steps whose concurrency group somebody else holds. */
  readonly blocked: ReadonlySet<StepId>;
}

/**
 * What to do next, from the state alone. Deciding twice on the same state gives the same commands; the engine ignores
 * those that it is carrying out already.
 */
export function decide(state: RunState, context: DecideContext): readonly Command[] {
  if (state.phase === 'finished') return [];
  const deadline = state.createdAt + state.plan.timeoutMs;
  if (!state.cancel && context.now >= deadline) return [{ do: 'cancel-run', by: 'sluice', reason: 'run_timeout' }];
  if (state.phase !== 'running' && !state.cancel) return [{ do: 'start-run' }, { do: 'wake', at: deadline }];
  const commands = [...stops(state), ...unprovenStops(state), ...settlements(state, context)];
  if (allSettled(state)) return [{ do: 'finish-run', verdict: verdictOfRun(state) }];
  return [...commands, ...starts(state, context), ...wakes(state, deadline)];
}

/** A cancelled run stops what runs, `finally` steps excepted: they are there for such ends. */
function stops(state: RunState): readonly Command[] {
  const { cancel } = state;
  if (!cancel) return [];
  return state.plan.steps.flatMap((step): Command[] => {
    const current = state.steps.get(step.id);
    const attempt = current?.attempts.at(-1);
    if (step.finally || current?.phase !== 'running' || !attempt) return [];
    return [{ do: 'stop-attempt', step: step.id, attempt: attempt.number, reason: cancel.reason }];
  });
}

/** Steps that were begun on the word of one that did not succeed after all. */
function unprovenStops(state: RunState): readonly Command[] {
  if (state.cancel) return [];
  return state.plan.steps.flatMap((step): Command[] => {
    const current = state.steps.get(step.id);
    const attempt = current?.attempts.at(-1);
    if (current?.phase !== 'running' || !attempt || needsOf(state, step).kind === 'satisfied') return [];
    return [{ do: 'stop-attempt', step: step.id, attempt: attempt.number, reason: 'unproven' }];
  });
}

/** Steps that end without an attempt. */
function settlements(state: RunState, context: DecideContext): readonly Command[] {
  const mainEnded = state.plan.steps.every((step) => step.finally || isSettled(state, step.id));
  return state.plan.steps.flatMap((step): readonly Command[] => {
    const current = state.steps.get(step.id);
    if (!current || current.phase === 'settled' || current.phase === 'running') return [];
    // A run that never started left nothing to clean up, so its `finally` steps go the same way.
    if (state.cancel && (!step.finally || state.startedAt === undefined))
      return [settle(step.id, cancelledVerdict(state, current))];
    if (step.finally && !mainEnded) return [];
    if (current.phase === 'awaiting-approval') return approvalEnd(step, current, context.now);
    if (current.phase !== 'pending') return [];
    const needs = needsOf(state, step);
    if (needs.kind === 'waiting') return [];
    if (needs.kind === 'refused') return [settle(step.id, needs.verdict)];
    return decideReady(state, step, context.now);
  });
}

/** A step that already had an attempt was under way, and so is cancelled; any other never began. */
function cancelledVerdict(state: RunState, step: StepState): Verdict {
  return step.attempts.length > 0 || step.approval
    ? verdictOf(state.cancel?.reason ?? 'cancelled')
    : verdictOf('run_cancelled');
}

function approvalEnd(step: PlanStep, { approval }: StepState, now: number): readonly Command[] {
  if (!approval) return [];
  if (approval.approved === true) return [settle(step.id, { outcome: 'succeeded' })];
  if (approval.approved === false)
    return [settle(step.id, verdictOf('rejected', `rejected by ${approval.by ?? 'somebody'}`))];
  return now >= approval.expiresAt ? [settle(step.id, verdictOf('approval_timeout'))] : [];
}

/** Attempts to start, in plan order, within the limits: capacity, `max-parallel`, concurrency groups. */
function starts(state: RunState, context: DecideContext): readonly Command[] {
  const running = state.plan.steps.filter(
    (step) => state.steps.get(step.id)?.phase === 'running',
  ) as readonly RunStep[];
  const admitted = [...running];
  const commands: Command[] = [];
  for (const step of state.plan.steps) {
    if (admitted.length >= context.capacity) break;
    if (step.kind !== 'run' || context.blocked.has(step.id) || !mayStart(state, step, context.now)) continue;
    if (!withinLimits(step, admitted)) continue;
    admitted.push(step);
    commands.push({
      do: 'start-attempt',
      step: step.id,
      attempt: (state.steps.get(step.id)?.attempts.length ?? 0) + 1,
    });
  }
  return commands;
}

function mayStart(state: RunState, step: RunStep, now: number): boolean {
  const current = state.steps.get(step.id);
  if (state.cancel && !step.finally) return false;
  if (current?.phase === 'waiting') return now >= (current.notBefore ?? 0);
  if (current?.phase !== 'pending') return false;
  if (step.finally && !state.plan.steps.every((other) => other.finally || isSettled(state, other.id))) return false;
  return needsOf(state, step).kind === 'satisfied' && decideReady(state, step, now).length === 0;
}

function withinLimits(step: RunStep, admitted: readonly RunStep[]): boolean {
  const { throttle, concurrency } = step;
  if (throttle && admitted.filter((other) => other.throttle?.group === throttle.group).length >= throttle.limit)
    return false;
  return !concurrency || !admitted.some((other) => other.concurrency?.group === concurrency.group);
}

function wakes(state: RunState, deadline: number): readonly Command[] {
  const times = [...state.steps.values()].flatMap((step) => {
    if (step.phase === 'waiting' && step.notBefore !== undefined) return [step.notBefore];
    return step.phase === 'awaiting-approval' && step.approval ? [step.approval.expiresAt] : [];
  });
  return [{ do: 'wake', at: Math.min(state.cancel ? Infinity : deadline, ...times) }];
}

/** A run is green only if something succeeded and nothing did otherwise; a cancel that came too late changes nothing. */
export function verdictOfRun(state: RunState): Verdict {
  const { cancel } = state;
  if (
    cancel &&
    [...state.steps.values()].some(
      ({ verdict }) => verdict?.reason === 'run_cancelled' || verdict?.reason === cancel.reason,
    )
  ) {
    return verdictOf(cancel.reason, `by ${cancel.by}`);
  }
  const outcome = worst(outcomesOf(state, () => true));
  if (outcome === 'failed') return verdictOf('step_failed');
  if (outcome === 'errored') return verdictOf('step_errored');
  if (outcome === 'skipped') return verdictOf('nothing_ran');
  return outcome === 'cancelled' ? firstCancelled(state) : { outcome };
}

function firstCancelled(state: RunState): Verdict {
  const step = [...state.steps.values()].find(({ verdict }) => verdict?.outcome === 'cancelled');
  return step?.verdict ?? { outcome: reasons.cancelled.outcome, reason: 'cancelled' };
}

function allSettled(state: RunState): boolean {
  return state.plan.steps.every((step) => isSettled(state, step.id));
}

function isSettled(state: RunState, id: StepId): boolean {
  return state.steps.get(id)?.phase === 'settled';
}

function settle(step: StepId, verdict: Verdict): Command {
  return { do: 'settle', step, verdict, outputs: {} };
}
