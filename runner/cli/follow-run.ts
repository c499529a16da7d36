import { setTimeout as delay } from 'node:timers/promises';
import type { Plan } from '../model/plan.ts';
import type { StoredEvent } from '../model/run-event.ts';
import type { RunState } from '../model/run-state.ts';
import { evolve, replay } from '../scheduler/evolve.ts';
import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { finishView, openView } from './open-view.ts';
import type { Services, Session } from './session.ts';
import { untilSignal } from './signals.ts';
import type { RunView } from './view/run-view.ts';

const pollMs = 200;

/** Shows a run that another process drives, until it has ended or the user has seen enough. */
export async function followRun(runId: string, session: Session, services: Services): Promise<ExitCode> {
  const view = await openView(session, { logs: false });
  const left = untilSignal(session.io);
  try {
    const state = await follow(runId, services, view, left.signal);
    view.close();
    if (state) return await finishView(state, session, services);
    session.note(`Run ${runId} goes on. Follow it again with: sluice show ${runId} --follow`);
    return exitCodes.interrupted;
  } finally {
    view.close();
    left.close();
  }
}

/** The state of the run once it has ended; undefined when the signal came first. */
export async function follow(
  runId: string,
  { store, engine }: Pick<Services, 'store' | 'engine'>,
  view: RunView,
  signal: AbortSignal,
): Promise<RunState | undefined> {
  // Of a queued run nobody has read the pipeline yet: its plan is there with `run-created`.
  const withoutPlan: StoredEvent[] = [];
  let plan: Plan | undefined;
  let state: RunState | undefined;
  while (!signal.aborted) {
    const before = await store.changes();
    for (const event of await store.events(runId, state?.version)) {
      if (plan === undefined && event.type === 'run-created') plan = (await engine.state(runId)).plan;
      if (state !== undefined && plan !== undefined && event.type !== 'run-created') state = evolve(state, event);
      else {
        withoutPlan.push(event);
        state = replay(plan, withoutPlan);
      }
      view.event(state, event);
    }
    if (state?.phase === 'finished') return state;
    await changeAfter(before, store, signal);
  }
  return undefined;
}

async function changeAfter(before: number, store: Services['store'], signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await store.changes()) === before) {
    // Rejects only when the signal comes, which the loop looks at.
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
}
