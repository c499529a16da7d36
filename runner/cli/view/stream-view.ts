import type { StepId } from '../../model/plan.ts';
import type { RunState } from '../../model/run-state.ts';
import { stepReportOf } from '../../results/report/step-report.ts';
import type { StepReport } from '../../results/report/step-report.ts';
import type { Palette } from '../terminal/palette.ts';
import { LogLines } from './log-lines.ts';
import { titleOf } from './run-lines.ts';
import type { RunView } from './run-view.ts';
import { stepDetail, stepTime } from './step-detail.ts';
import { markOf, stateOf } from './step-mark.ts';
import { waitingWords } from './words.ts';

export interface StreamOptions {
  readonly write: (text: string) => void;
  readonly palette: Palette;
  /** Whether the colours of the steps' own output pass. */
  readonly color: boolean;
  /** Whether output of steps is shown at all. */
  readonly logs: boolean;
}

/** Lines as they come, each with the name of its step; for pipes, files, and terminals that do not move. */
export function openStreamView({ write, palette, color, logs }: StreamOptions): RunView {
  const lines = new LogLines({ write, palette, color });
  return {
    event: (state, event) => {
      if (event.type === 'attempt-finished') lines.end(event.step);
      const line = eventLine(state, event, palette);
      if (line !== undefined) write(`${line}\n`);
    },
    log: (step, _attempt, chunk) => {
      if (logs) lines.add(step, chunk);
    },
    notice: (text) => write(`${text}\n`),
    close: () => lines.close(),
  };
}

type StreamEvent = Parameters<RunView['event']>[1];

/** A run of many steps has many events, so that each looks at its own step only. */
function eventLine(state: RunState, event: StreamEvent, palette: Palette): string | undefined {
  const { runId, plan, request, waitingFor } = state;
  const line = (step: StepId, words?: string): string | undefined => stepLine(state, step, event.at, palette, words);
  switch (event.type) {
    case 'run-started':
      return titleOf({ runId, pipeline: plan.pipeline, request }, palette);
    case 'run-waiting':
      return waitingFor && waitingWords({ for: 'group', ...waitingFor }, event.at);
    case 'attempt-started':
      return line(event.step, event.attempt > 1 ? `attempt ${event.attempt} started` : 'started');
    case 'attempt-finished':
    case 'step-settled':
      return line(event.step);
    case 'approval-requested':
      return line(event.step, `waits for: sluice approve ${runId} ${event.step}`);
    default:
      return undefined;
  }
}

function stepLine(state: RunState, id: StepId, now: number, palette: Palette, words?: string): string | undefined {
  const planned = state.plan.steps.find((other) => other.id === id);
  if (!planned) return undefined;
  const step = stepReportOf(state, planned);
  if (isSilent(step)) return undefined;
  const mark = markOf(stateOf(step), { palette, animated: false, now });
  if (words !== undefined) return `${mark} ${id}  ${palette.faint(words)}`;
  const detail = [step.outcome === 'succeeded' ? 'succeeded' : '', stepTime(step, now), stepDetail(step, now)];
  return `${mark} ${id}  ${detail.filter((part) => part !== '').join('  ')}`;
}

/** Group steps do nothing of their own. */
function isSilent({ kind, outcome }: StepReport): boolean {
  return kind === 'group-start' && outcome === 'succeeded';
}
