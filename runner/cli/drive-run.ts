import type { RunState } from '../model/run-state.ts';
import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { finishView, openView } from './open-view.ts';
import type { ViewOptions } from './open-view.ts';
import type { Services, Session } from './session.ts';
import { onSignals } from './signals.ts';
import type { RunView } from './view/run-view.ts';

/** Drives a run to its end before the eyes of the user, and answers what the shell gets to know. */
export async function driveRun(
  runId: string,
  session: Session,
  services: Services,
  options: ViewOptions,
): Promise<ExitCode> {
  const view = await openView(session, options);
  try {
    const state = await drive(runId, session, services, view);
    view.close();
    return state ? await finishView(state, session, services) : exitCodes.interrupted;
  } finally {
    view.close();
  }
}

/** The first signal cancels and waits for the clean end; the second ends everything at once and answers undefined. */
async function drive(
  runId: string,
  session: Session,
  services: Services,
  view: RunView,
): Promise<RunState | undefined> {
  const cancel = new AbortController();
  const killed = Promise.withResolvers<undefined>();
  const listening = onSignals(session.io, () => {
    if (cancel.signal.aborted) {
      services.close().then(() => killed.resolve(undefined), killed.reject);
      return;
    }
    cancel.abort();
    view.notice('Cancelling; Ctrl-C again kills the steps.');
  });
  try {
    return await Promise.race([services.engine.drive(runId, view, cancel.signal), killed.promise]);
  } finally {
    listening.close();
  }
}
