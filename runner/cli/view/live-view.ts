import { reportOf } from '../../results/report/run-report.ts';
import type { RunReport } from '../../results/report/run-report.ts';
import type { StepReport } from '../../results/report/step-report.ts';
import type { RunState } from '../../model/run-state.ts';
import type { Session } from '../session.ts';
import { openLiveScreen } from '../terminal/live-screen.ts';
import type { LiveScreen } from '../terminal/live-screen.ts';
import type { Palette } from '../terminal/palette.ts';
import { LogTail } from './log-tail.ts';
import { runLines } from './run-lines.ts';
import type { RunView } from './run-view.ts';
import { endingWords } from './step-detail.ts';
import { isRed } from './step-mark.ts';

const redrawMs = 100;
const tailLength = 8;

/** The tree of steps, drawn in place ten times a second at most. */
export function openLiveView({ io, palette, color }: Session): RunView {
  const screen = openLiveScreen(io.stdout);
  const tails = new Map<string, LogTail>();
  let state: RunState | undefined;
  let notice: string | undefined;

  const draw = (): void => {
    if (state) screen.draw(picture(screen, reportOf(state), tails, { palette, color, notice }));
  };
  const timer = setInterval(draw, redrawMs);

  return {
    event: (next) => {
      state = next;
    },
    log: (step, _attempt, chunk) => {
      const tail = tails.get(step) ?? new LogTail();
      tails.set(step, tail);
      tail.add(chunk);
    },
    notice: (text) => {
      notice = text;
      draw();
    },
    close: () => {
      clearInterval(timer);
      screen.close();
    },
  };
}

function picture(
  screen: LiveScreen,
  report: RunReport,
  tails: ReadonlyMap<string, LogTail>,
  {
    palette,
    color,
    notice,
  }: { readonly palette: Palette; readonly color: boolean; readonly notice: string | undefined },
): readonly string[] {
  const red = report.steps.findLast((step) => step.kind === 'run' && isRed(step));
  // A small terminal has no room for both.
  const tail =
    red && screen.rows >= report.steps.length + 2 * tailLength
      ? tailBlock(red, tails.get(red.id)?.lines(tailLength, color) ?? [], palette)
      : [];
  const below = [...tail, ...(notice === undefined ? [] : [palette.ask(notice)])];
  return runLines(
    report,
    {
      columns: screen.columns,
      rows: screen.rows,
      now: Date.now(),
      palette,
      animated: true,
      lastLine: (step) => tails.get(step.id)?.lines(1, false)[0],
    },
    below,
  );
}

/** Why a step is red, over the last lines that it wrote. */
function tailBlock(step: StepReport, lines: readonly string[], palette: Palette): readonly string[] {
  return [palette.bad(`${step.id} ${endingWords(step)}`), ...lines.map((line) => `${palette.faint('│')} ${line}`)];
}
