import type { RunReport } from './run-report.ts';
import type { StepReport } from './step-report.ts';

/** The run in whose records the attempts of a step are. */
export function runOfStep({ runId }: Pick<RunReport, 'runId'>, { carriedFrom }: StepReport): string {
  return carriedFrom ?? runId;
}
