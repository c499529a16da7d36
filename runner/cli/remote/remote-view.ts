import type { StoredEvent } from '../../model/run-event.ts';
import type { Verdict } from '../../model/outcome.ts';
import type { RunReport } from '../../results/report/run-report.ts';
import type { ViewOptions } from '../open-view.ts';
import { problemLines, widthFor } from '../print-run.ts';
import type { Session } from '../session.ts';
import { LogLines } from '../view/log-lines.ts';
import { reasonLines, runLines } from '../view/run-lines.ts';
import { isRed, markOf } from '../view/step-mark.ts';
import type { StepMark } from '../view/step-mark.ts';
import { factLines, redLines } from '../view/summary.ts';
import { oneLine } from '../view/words.ts';
import type { RemoteListener } from './follow-remote.ts';

const rowsAtTheEnd = 60;

export interface RemoteView extends RemoteListener {
  /** What stays on the screen when the run has ended. */
  finish(report: RunReport): void;
}

/** Lines as they come, for people; the events for programs, as a run of this machine prints them. */
export function openRemoteView(session: Session, server: string, { quiet }: ViewOptions): RemoteView {
  if (session.json) {
    return {
      accepted: () => undefined,
      event: (runId, event) => session.printJson({ kind: 'event', runId, event }),
      log: () => undefined,
      notice: () => undefined,
      finish: (report) => session.printJson({ kind: 'report', report }),
    };
  }
  const { palette, color, io } = session;
  const logs = new LogLines({ write: (text) => io.stdout.write(text), palette, color });
  return {
    accepted: (runId) => session.print(`${palette.faint('run')} ${runId} ${palette.faint(`at ${server}`)}`),
    event: (_runId, event) => {
      if (event.type === 'attempt-finished') logs.end(event.step);
      const [mark, step, words] = wordsOf(event) ?? [];
      if (mark !== undefined && step !== undefined)
        session.print(`${markOf(mark, { palette, animated: false, now: event.at })} ${step}  ${words ?? ''}`);
    },
    log: (step, _attempt, text) => {
      if (quiet !== true) logs.add(step, Buffer.from(text));
    },
    notice: (text) => session.note(text),
    finish: (report) => {
      logs.close();
      const size = { columns: widthFor(io.stdout), rows: rowsAtTheEnd };
      const tree = runLines(report, { ...size, now: Date.now(), palette, animated: false });
      const red = report.steps.filter((step) => isRed(step) && step.attempts.length > 0);
      const blocks = [
        ...problemLines(report, color),
        ...red.flatMap((step) => ['', ...redLines({ step, tail: [], cases: [] }, palette)]),
      ];
      session.print(
        [...tree, ...reasonLines(report, palette), ...blocks, '', ...factLines(report, palette)].join('\n'),
      );
    },
  };
}

/** Mark, step and words for what happens to a step; undefined for what says nothing to people. */
function wordsOf(event: StoredEvent): readonly [StepMark, string, string] | undefined {
  switch (event.type) {
    case 'attempt-started':
      return ['running', event.step, event.attempt > 1 ? `attempt ${event.attempt} started` : 'started'];
    case 'attempt-finished':
      return [event.result.outcome, event.step, endWords(event.result)];
    case 'step-settled':
      return event.verdict.outcome === 'succeeded'
        ? undefined
        : [event.verdict.outcome, event.step, endWords(event.verdict)];
    case 'approval-requested':
      return ['approval', event.step, `waits for somebody who approves it. ${oneLine(event.message)}`.trimEnd()];
    default:
      return undefined;
  }
}

function endWords({ outcome, message }: Verdict): string {
  return message === undefined || outcome === 'succeeded' ? outcome : `${outcome}: ${oneLine(message)}`;
}
