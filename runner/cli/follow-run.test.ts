import test from 'ava';
import { openWorld } from '../engine/engine-fixture.ts';
import { follow } from './follow-run.ts';

const yaml = 'pipeline: p\non: { push: {} }\nsteps: { a: { run: "true" } }\n';

test('a run that is followed from the queue on shows the steps that its pipeline turns out to have', async (t) => {
  const world = await openWorld(t);
  const runId = await world.push(yaml);
  const seen = new Map<string, number>();
  const view = {
    event: (
      { plan }: { readonly plan: { readonly steps: readonly unknown[] } },
      { type }: { readonly type: string },
    ) => {
      seen.set(type, plan.steps.length);
    },
    log: () => undefined,
    notice: () => undefined,
    close: () => undefined,
  };
  const followed = follow(runId, world, view, AbortSignal.timeout(20_000));
  while (!seen.has('run-requested')) await new Promise((resolve) => setTimeout(resolve, 20));
  await world.takeAndPlan();
  const state = await world.engine.drive(runId, world.observer, AbortSignal.timeout(20_000));
  t.deepEqual(await followed, state);
  t.is(seen.get('run-requested'), 0);
  t.is(seen.get('run-created'), 1);
  t.is(seen.get('attempt-started'), 1);
});

test('a run that ends without a plan is followed to its end', async (t) => {
  const world = await openWorld(t);
  const runId = await world.push('pipeline: p\nsteps: { a: { run: "true" } }\n');
  await world.takeAndPlan();
  const view = { event: () => undefined, log: () => undefined, notice: () => undefined, close: () => undefined };
  const state = await follow(runId, world, view, AbortSignal.timeout(20_000));
  t.is(state?.verdict?.reason, 'not_triggered');
});
