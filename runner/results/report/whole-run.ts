import type { RunState } from '../../model/run-state.ts';
import { reportOf, totalsOf } from './run-report.ts';
import type { RunReport } from './run-report.ts';
import type { StepReport } from './step-report.ts';

/** What knows the states of runs, such as an engine. */
interface States {
  readonly engine: { state(runId: string): Promise<RunState> };
}

/** A report in which steps that a repetition took over have the attempts, tests and artefacts of the run they ran in. */
export async function wholeReport(runId: string, { engine }: States): Promise<RunReport> {
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
