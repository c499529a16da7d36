import test from 'ava';
import type { ExecutionContext } from 'ava';
import { setTimeout as sleep } from 'node:timers/promises';
import { dispatchRuns } from './dispatcher.ts';
import type { DispatcherOptions } from './dispatcher.ts';
import { openWorld } from './engine-fixture.ts';
import type { World } from './engine-fixture.ts';

const steps = (script: string) => `pipeline: p\non: { push: }\nsteps: { a: { run: ${JSON.stringify(script)} } }\n`;

function dispatch(t: ExecutionContext, world: World, changes: Partial<DispatcherOptions> = {}) {
  const [stop, cancel] = [new AbortController(), new AbortController()];
  const ignore = (): undefined => undefined;
  const logger = { error: ignore, warn: ignore, info: ignore, debug: ignore };
  const ended = dispatchRuns(
    {
      engine: world.engine,
      store: world.store,
      locate: () => Promise.resolve(world.path('repository')),
      ended: () => Promise.resolve(),
      logger,
      most: { runs: 4, ofRepository: 4 },
      ...changes,
    },
    { stop: stop.signal, cancel: cancel.signal },
  );
  t.teardown(async () => {
    stop.abort();
    cancel.abort();
    await ended;
  });
  return { ended, stop, cancel };
}

async function finished(world: World, runId: string) {
  for (;;) {
    const row = await world.store.run(runId);
    if (row?.phase === 'finished') return row;
    await sleep(20);
  }
}

test('R001-5: what is pushed while it runs is run, each once', async (t) => {
  const world = await openWorld(t);
  dispatch(t, world);
  const runIds = [await world.push(steps('true')), await world.push(steps('false')), await world.push(steps('true'))];
  const rows = await Promise.all(runIds.map((runId) => finished(world, runId)));
  t.deepEqual(
    rows.map(({ outcome }) => outcome),
    ['succeeded', 'failed', 'succeeded'],
  );
  for (const runId of runIds) {
    const started = (await world.store.events(runId)).filter(({ type }) => type === 'attempt-started');
    t.is(started.length, 1);
  }
});

test('no more runs are under way than may be, and of one repository too', async (t) => {
  const world = await openWorld(t);
  const runIds: string[] = [];
  for (let run = 0; run < 4; run++) runIds.push(await world.push(steps('sleep 0.2')));
  dispatch(t, world, { most: { runs: 4, ofRepository: 1 } });
  await Promise.all(runIds.map((runId) => finished(world, runId)));
  const spans = await Promise.all(
    runIds.map(async (runId) => {
      const events = await world.store.events(runId);
      return { from: events.find(({ type }) => type === 'run-created')?.at ?? 0, to: events.at(-1)?.at ?? 0 };
    }),
  );
  spans.sort((a, b) => a.from - b.from);
  for (const [index, { from }] of spans.entries()) t.true(index === 0 || from >= (spans[index - 1]?.to ?? Infinity));
});

test('stopped, it takes nothing new and waits for what is under way; cancelled, it ends that', async (t) => {
  const world = await openWorld(t);
  const { ended, stop, cancel } = dispatch(t, world, { most: { runs: 1, ofRepository: 1 } });
  const begun = await world.push(steps('sleep 60'));
  while ((await world.store.run(begun))?.phase !== 'running') await sleep(10);
  const waiting = await world.push(steps('true'));
  stop.abort();
  await sleep(300);
  t.is((await world.store.run(begun))?.phase, 'running');
  cancel.abort();
  await ended;
  t.like(await world.store.run(begun), { phase: 'finished', outcome: 'cancelled' });
  t.like(await world.store.run(waiting), { phase: 'queued' });
});

test('R000-21: a failure to read the store or the commit holds no other run up, and is tried again', async (t) => {
  const world = await openWorld(t);
  let failures = 2;
  const changes = (): Promise<number> =>
    failures-- > 0 ? Promise.reject(new Error('the database is away')) : world.store.changes();
  const poisoned = await world.push(steps('true'));
  dispatch(t, world, {
    store: { changes },
    locate: ({ trigger }) =>
      trigger.tag === 'poison' ? Promise.reject(new Error('defect')) : Promise.resolve(world.path('repository')),
  });
  const bad = await world.push(steps('true'), { tag: 'poison' });
  const good = await world.push(steps('true'));
  t.like(await finished(world, poisoned), { outcome: 'succeeded' });
  t.like(await finished(world, good), { outcome: 'succeeded' });
  t.like(await finished(world, bad), { outcome: 'errored', reason: 'internal_error' });
});
