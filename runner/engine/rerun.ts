import { SluiceError } from '../model/errors.ts';
import type { PlanStep, StepId } from '../model/plan.ts';
import type { CarriedStep } from '../model/run-event.ts';
import type { RunState } from '../model/run-state.ts';
import type { RerunScope } from './engine.ts';

/**
 * The results that a repetition takes over: every step that succeeded, unless it is repeated or stands behind one that
 * is. `finally` steps always run again. ERR_USAGE when nothing is left to repeat or the step is unknown.
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
  const repeated = new Set<StepId>();
  // Steps stand behind those that they need, so one pass reaches all that follow.
  for (const step of state.plan.steps) {
    const wanted = scope.kind === 'from' && step.id === scope.step;
    if (wanted || !succeeded(state, step.id) || step.finally || dependsOn(step, repeated)) repeated.add(step.id);
  }
  return repeated;
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
