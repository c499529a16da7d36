import type { Json } from '../model/json.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Need, PlanStep } from '../model/plan.ts';
import type { RunState, StepState } from '../model/run-state.ts';

/** Worst first: what stands for several steps together. */
const severity: readonly Outcome[] = ['failed', 'errored', 'cancelled', 'succeeded', 'skipped'];

/** The outcome that stands for several: the worst of them; `skipped` only when all are. */
export function worst(outcomes: readonly Outcome[]): Outcome {
  return severity.find((outcome) => outcomes.includes(outcome)) ?? 'skipped';
}

/** The values that the expressions of a step see when it starts. */
export function scopeOf(state: RunState, step: PlanStep): Readonly<Record<string, Json>> {
  const needs = Object.fromEntries(step.needs.map((need) => [need.name, needValue(state, need)]));
  const given = step.inputsFrom === undefined ? undefined : state.steps.get(step.inputsFrom)?.outputs;
  const inputs = { ...(step.scope['inputs'] as Readonly<Record<string, Json>> | undefined), ...given };
  return {
    ...step.scope,
    needs,
    inputs,
    ...(step.kind === 'group-end' ? { steps: needs } : {}),
    ...(step.finally ? { run: { outcome: mainOutcome(state) } } : {}),
  };
}

function needValue(state: RunState, need: Need): Json {
  const steps = need.steps.map((id) => state.steps.get(id));
  const outputs = steps.length === 1 ? (steps[0]?.word ?? steps[0])?.outputs : undefined;
  return { outcome: worst(steps.map(outcomeSoFar)), outputs: outputs ?? {} };
}

/** A step's own word counts for those that begin on it. */
function outcomeSoFar(step: StepState | undefined): Outcome {
  return step?.verdict?.outcome ?? (step?.word ? 'succeeded' : 'skipped');
}

/** How the steps before `finally` ended, taken together. */
function mainOutcome(state: RunState): Outcome {
  if (state.cancel) return 'cancelled';
  return worst(outcomesOf(state, (step) => !step.finally));
}

/** Outcomes of the steps that do something; groups only gather others. */
export function outcomesOf(state: RunState, select: (step: PlanStep) => boolean): readonly Outcome[] {
  return state.plan.steps
    .filter((step) => (step.kind === 'run' || step.kind === 'approval') && select(step))
    .flatMap((step) => state.steps.get(step.id)?.verdict?.outcome ?? []);
}
