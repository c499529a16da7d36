import { text } from 'node:stream/consumers';
import type { Plan } from '../model/plan.ts';
import type { StoredEvent } from '../model/run-event.ts';
import type { RunState } from '../model/run-state.ts';
import { replay } from '../scheduler/evolve.ts';
import type { Lease } from '../store/store.ts';
import type { EngineDependencies } from './dependencies.ts';
import type { RunObserver } from './engine.ts';
import { Journal } from './journal.ts';

async function readPlan(engine: EngineDependencies, events: readonly StoredEvent[]): Promise<Plan | undefined> {
  const created = events.find((event) => event.type === 'run-created');
  // The blob store has checked the digest, so these are the bytes that the compiler wrote.
  return created && (JSON.parse(await text(await engine.blobs.open(created.plan))) as Plan);
}

/** The fold over a run's events. ERR_NOT_FOUND for an unknown run. */
export async function readState(engine: EngineDependencies, runId: string): Promise<RunState> {
  const events = await engine.store.events(runId);
  return replay(await readPlan(engine, events), events);
}

export async function openJournal(
  engine: EngineDependencies,
  lease: Lease,
  observer: RunObserver['event'],
): Promise<Journal> {
  const plan = await readPlan(engine, await engine.store.events(lease.runId));
  return Journal.open(engine.store, lease, plan, observer);
}
