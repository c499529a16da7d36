import type { RunState } from '../model/run-state.ts';
import { reportOf } from '../results/report/run-report.ts';
import { exitCodeOf } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { printRun } from './print-run.ts';
import type { Services, Session } from './session.ts';
import type { RunView } from './view/run-view.ts';

export interface ViewOptions {
  /** Show the output of steps as it comes, also on a terminal. */
  readonly logs?: boolean;
  /** Show no output of steps, only how they ended. */
  readonly quiet?: boolean;
}

/** A tree on a terminal, lines elsewhere, events for programs. */
export async function openView(session: Session, { logs, quiet }: ViewOptions): Promise<RunView> {
  const { io, json, config, palette, color } = session;
  if (json) return (await import('./view/json-view.ts')).openJsonView((value) => session.printJson(value));
  const isTerminal = io.stdout.isTTY === true;
  if (isTerminal && config.liveView && !logs && !quiet) {
    return (await import('./view/live-view.ts')).openLiveView(session);
  }
  const write = (text: string): boolean => io.stdout.write(text);
  return (await import('./view/stream-view.ts')).openStreamView({ write, palette, color, logs: !quiet });
}

/** Enough for most runs; `sluice show` shows the others whole. */
const rowsAtTheEnd = 60;

/** What stays on the screen when a run has ended, and what the shell gets to know. */
export async function finishView(state: RunState, session: Session, services: Services): Promise<ExitCode> {
  if (session.json) session.printJson({ kind: 'report', report: reportOf(state) });
  else await printRun(state, session, services, rowsAtTheEnd);
  return exitCodeOf(state.verdict);
}
