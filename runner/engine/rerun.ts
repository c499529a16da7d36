import { SluiceError } from '../model/errors.ts';
import type { PlanStep, StepId } from '../model/plan.ts';
import type { CarriedStep } from '../model/run-event.ts';
import type { RunState } from '../model/run-state.ts';
import type { RerunScope } from './engine.ts';

/**
 * The results that a repetition takes over: every step that succeeded, unless it is repeated or stands behind one that
 * is. `finally` steps always run again, and the operations of gates all or none. ERR_USAGE when nothing is left to repeat or the step is unknown.
 */
export function carriedSteps(state: RunState, scope: RerunScope): Readonly<Record<StepId, CarriedStep>> {
  if (state.phase !== 'finished')
    throw new SluiceError('ERR_USAGE', `Run ${state.runId} has not ended yet.`, {
      hint: 'Wait for its end or cancel it first.',
    });
  const repeated = stepsToRepeat(state, scope);
  if (state.plan.steps.every((step) => (step.finally ? succeeded(state, step.id) : !repeated.has(step.id)))) {
    throw new SluiceError('ERR_USAGE', `Run ${state.runId} has no step to repeat: every step succeeded.`, {
      hint: 'Name one: sluice rerun --from STEP.',
    });
  }
  return Object.fromEntries(
    state.plan.steps.filter((step) => !repeated.has(step.id)).map((step) => [step.id, carry(state, step.id)]),
  );
}

function stepsToRepeat(state: RunState, scope: RerunScope): ReadonlySet<StepId> {
  if (scope.kind === 'from' && !state.steps.has(scope.step)) throw unknownStep(state, scope.step);
  const isWanted = ({ id, finally: isLast }: PlanStep): boolean =>
    (scope.kind === 'from' && id === scope.step) || !succeeded(state, id) || isLast;
  const repeated = withThoseBehind(state, isWanted);
  // A release, its migration and its tests are on record for the run that made them: what repeats one of these makes its own.
  return state.plan.steps.some((step) => isOperation(step) && repeated.has(step.id))
    ? withThoseBehind(state, (step) => isWanted(step) || isOperation(step))
    : repeated;
}

/** Steps stand behind those that they need, so one pass reaches all that follow. */
function withThoseBehind({ plan }: RunState, isWanted: (step: PlanStep) => boolean): ReadonlySet<StepId> {
  const found = new Set<StepId>();
  for (const step of plan.steps) if (isWanted(step) || dependsOn(step, found)) found.add(step.id);
  return found;
}

function isOperation(step: PlanStep): boolean {
  return step.kind === 'run' && step.operation !== undefined;
}

function succeeded(state: RunState, id: StepId): boolean {
  return state.steps.get(id)?.verdict?.outcome === 'succeeded';
}

function dependsOn(step: PlanStep, repeated: ReadonlySet<StepId>): boolean {
  if (step.inputsFrom !== undefined && repeated.has(step.inputsFrom)) return true;
  return step.needs.some((need) => need.steps.some((id) => repeated.has(id)));
}

function carry(state: RunState, id: StepId): CarriedStep {
  const step = state.steps.get(id);
  return {
    fromRun: step?.carriedFrom ?? state.runId,
    verdict: step?.verdict ?? { outcome: 'succeeded' },
    outputs: step?.outputs ?? {},
    ...(step?.handover === undefined ? {} : { handover: step.handover }),
  };
}

function unknownStep(state: RunState, step: StepId): SluiceError {
  return new SluiceError('ERR_USAGE', `Run ${state.runId} has no step "${step}".`, {
    hint: `Its steps: ${[...state.steps.keys()].join(', ')}.`,
  });
}
