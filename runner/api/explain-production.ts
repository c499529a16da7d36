import { explainProduction } from '../gates/backends/explain-production.ts';
import { messageOf } from '../model/errors.ts';
import type { RunState } from '../model/run-state.ts';
import type { RunReport } from '../results/report/run-report.ts';
import type { ApiDependencies } from './dependencies.ts';
import { answerOf, becauseOf } from './explain.ts';

/** Why the commit of a run is in production, or is not; undefined where that is no question. What the place does not say does not keep the rest from being said. */
export async function productionOf(
  { backends, logger }: ApiDependencies,
  { runId, plan, request }: RunState,
  report: RunReport,
): Promise<object | undefined> {
  if (backends === undefined || plan.backend === undefined) return undefined;
  const { name } = plan.backend;
  try {
    const found = await backends.find(name);
    if (found?.repository !== request.repository) {
      return { place: 'no-backend', answer: `There is no backend ${name} of this repository.` };
    }
    const { commit } = request.trigger;
    const question = { run: runId, commit, obstacle: obstacleOf(plan, report) };
    return await explainProduction(await backends.site(found.backend), question);
  } catch (error) {
    logger.warn('production was not explained', { runId, error });
    return { place: 'unknown', answer: `What is in production cannot be said just now: ${messageOf(error)}.` };
  }
}

/** What the run itself says of why it did not promote. */
function obstacleOf({ steps }: RunState['plan'], report: RunReport): string {
  const promotes = steps.find((step) => step.kind === 'run' && step.operation === 'check-release');
  if (promotes === undefined) return 'Its pipeline does not promote.';
  const step = report.steps.find(({ id }) => id === promotes.id);
  if (report.outcome !== 'succeeded' || step?.outcome === undefined) return answerOf(report);
  return `${step.id} ${step.outcome}: ${becauseOf(step)}.`;
}
