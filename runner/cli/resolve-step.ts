import { SluiceError } from '../model/errors.ts';
import type { StepId } from '../model/plan.ts';
import type { RunState } from '../model/run-state.ts';
import { didYouMean } from '../language/did-you-mean.ts';
import { shortList } from './view/words.ts';

/** The step with this id. ERR_USAGE with the closest ones for anything else. */
export function resolveStep({ runId, plan }: Pick<RunState, 'runId' | 'plan'>, id: string): StepId {
  const ids = plan.steps.map((step) => step.id);
  if (ids.includes(id)) return id;
  const cells = ids.filter((other) => other.startsWith(`${id}:`));
  const hint =
    cells.length > 0
      ? `It has cells; name one of them: ${shortList(cells)}.`
      : (didYouMean(id, ids) ?? `Its steps are ${shortList(ids)}.`);
  throw new SluiceError('ERR_USAGE', `run ${runId} has no step "${id}"`, { hint });
}
