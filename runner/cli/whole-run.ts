import { reportOf, totalsOf } from '../results/report/run-report.ts';
import type { RunReport } from '../results/report/run-report.ts';
import type { StepReport } from '../results/report/step-report.ts';
import type { Services } from './session.ts';

/** A report in which steps that a repetition took over have the attempts, tests and artefacts of the run they ran in. */
export async function wholeReport(runId: string, { engine }: Pick<Services, 'engine'>): Promise<RunReport> {
  const report = reportOf(await engine.state(runId));
  const origins = [...new Set(report.steps.flatMap((step) => step.carriedFrom ?? []))];
  const runs = new Map(
    await Promise.all(origins.map(async (id) => [id, reportOf(await engine.state(id)).steps] as const)),
  );
  const steps = report.steps.map((step): StepReport => {
    const ran = runs.get(step.carriedFrom ?? '')?.find(({ id }) => id === step.id);
    if (!ran) return step;
    const { attempts, tests, artifacts } = ran;
    return { ...step, attempts, artifacts, ...(tests && { tests }) };
  });
  return { ...report, steps, ...totalsOf(steps) };
}
