import type { Problem } from '../model/problem.ts';
import { problemText } from './print-problems.ts';
import { readRedSteps } from './read-red-steps.ts';
import type { RunState } from '../model/run-state.ts';
import { reportOf } from '../results/report/run-report.ts';
import type { RunReport } from '../results/report/run-report.ts';
import type { Services, Session } from './session.ts';
import { reasonLines, runLines } from './view/run-lines.ts';
import { redLines, summaryLines } from './view/summary.ts';

/** A run as it stands: tree of at most so many rows, what went wrong, totals and the next commands. */
export async function printRun(state: RunState, session: Session, services: Services, rows = Infinity): Promise<void> {
  const { palette, io, color } = session;
  const report = reportOf(state);
  const red = await readRedSteps(report, services, color);
  const tree = runLines(report, {
    columns: widthFor(io.stdout),
    rows,
    now: Date.now(),
    palette,
    animated: false,
  });
  const blocks = [...problemLines(report, color), ...red.flatMap((step) => ['', ...redLines(step, palette)])];
  const abandoned = report.outcome === undefined && (await isAbandoned(report.runId, services));
  const deployedHere = state.plan.backend !== undefined && report.executor === 'local';
  const summary = summaryLines(report, palette, { abandoned, deployedHere });
  const below = summary.length === 0 ? [] : ['', ...summary];
  session.print([...tree, ...reasonLines(report, palette), ...blocks, ...below].join('\n'));
}

/** The mistakes of a pipeline file of which no plan was made. */
export function problemLines({ problems = [] }: RunReport, color: boolean): readonly string[] {
  if (problems.length === 0) return [];
  const shown = problems.map(({ hint, ...rest }): Problem => (hint === '' ? rest : { ...rest, hint }));
  return ['', problemText(shown, color)];
}

/** Its process is gone, and what it began elsewhere waits for another one. */
async function isAbandoned(runId: string, { store }: Services): Promise<boolean> {
  return (await store.abandoned()).some((run) => run.runId === runId);
}

/** In a pipe nothing is cut. */
export function widthFor({ isTTY, columns }: Session['io']['stdout']): number {
  return isTTY ? (columns ?? 80) : Infinity;
}
