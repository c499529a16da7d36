import { readRedSteps } from './read-red-steps.ts';
import type { RunReport } from '../results/report/run-report.ts';
import type { Services, Session } from './session.ts';
import { runLines } from './view/run-lines.ts';
import { redLines, summaryLines } from './view/summary.ts';

/** A run as it stands: tree of at most so many rows, what went wrong, totals and the next commands. */
export async function printRun(
  report: RunReport,
  session: Session,
  services: Services,
  rows = Infinity,
): Promise<void> {
  const { palette, io, color } = session;
  const red = await readRedSteps(report, services, color);
  const tree = runLines(report, {
    columns: widthFor(io.stdout),
    rows,
    now: Date.now(),
    palette,
    animated: false,
  });
  const blocks = red.flatMap((step) => ['', ...redLines(step, palette)]);
  session.print([...tree, ...blocks, '', ...summaryLines(report, palette)].join('\n'));
}

/** In a pipe nothing is cut. */
export function widthFor({ isTTY, columns }: Session['io']['stdout']): number {
  return isTTY ? (columns ?? 80) : Infinity;
}
