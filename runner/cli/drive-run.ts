import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { finishView, openView } from './open-view.ts';
import type { ViewOptions } from './open-view.ts';
import type { Services, Session } from './session.ts';
import { onSignals } from './signals.ts';

/** Drives a run to its end before the eyes of the user, and answers what the shell gets to know. */
export async function driveRun(
  runId: string,
  session: Session,
  services: Services,
  options: ViewOptions,
): Promise<ExitCode> {
  const view = await openView(session, options);
  const cancel = new AbortController();
  let killing: Promise<void> | undefined;
  // The first signal cancels and waits for the clean end; the next one ends everything at once.
  const listening = onSignals(session.io, () => {
    if (cancel.signal.aborted) killing ??= services.close();
    else view.notice('Cancelling; Ctrl-C again kills the steps.');
    cancel.abort();
  });
  const wasKilled = async (): Promise<boolean> => {
    await killing;
    return killing !== undefined;
  };
  try {
    const state = await services.engine.drive(runId, view, cancel.signal);
    view.close();
    if (!(await wasKilled())) return await finishView(state, session, services);
  } catch (error) {
    // What it drove on was closed below it; the next command records what is missing.
    if (!(await wasKilled())) throw error;
  } finally {
    view.close();
    listening.close();
  }
  session.note(`Run ${runId} was killed. See: sluice show ${runId}`);
  return exitCodes.interrupted;
}
