import type { Lease } from '../store/store.ts';
import type { EngineDependencies } from './dependencies.ts';
import { openJournal } from './read-run.ts';
import { endLostRun } from './recover.ts';

/** A run that can go on is older than any that is queued. One that cannot ends here. */
export async function takeRun(engine: EngineDependencies, most: number): Promise<Lease | undefined> {
  for (const { runId } of await engine.store.abandoned()) {
    const lease = await engine.store.claim(runId, engine.owner);
    if (!lease) continue;
    if (!(await endsWithItsProcess(engine, runId))) return lease;
    await endLostRun(engine, await openJournal(engine, lease, () => undefined));
  }
  return engine.store.takeQueued(engine.owner, most);
}

/** Attempts elsewhere outlive the process that drove them: such a run waits for one that goes on with it. */
async function endsWithItsProcess({ store, executor }: EngineDependencies, runId: string): Promise<boolean> {
  const created = (await store.events(runId)).find((event) => event.type === 'run-created');
  return !executor.resumes && created?.executor === executor.name;
}

/** Ends runs whose process is gone and that cannot go on; answers their ids. */
export async function recoverRuns(engine: EngineDependencies): Promise<readonly string[]> {
  const ended: string[] = [];
  for (const { runId } of await engine.store.abandoned()) {
    if (!(await endsWithItsProcess(engine, runId))) continue;
    const lease = await engine.store.claim(runId, engine.owner);
    // Somebody else was quicker.
    if (!lease) continue;
    await endLostRun(engine, await openJournal(engine, lease, () => undefined));
    ended.push(runId);
  }
  return ended;
}
