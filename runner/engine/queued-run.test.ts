import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { openWorld } from './engine-fixture.ts';
import type { World } from './engine-fixture.ts';

const onPush = 'pipeline: p\non: { push: { branches: [main] } }\nsteps: { a: { run: echo one } }\n';
const never = new AbortController().signal;

async function types(world: World, runId: string): Promise<readonly string[]> {
  return (await world.store.events(runId)).map(({ type }) => type);
}

test('R000-3: a pushed commit becomes a run that ends green', async (t) => {
  const world = await openWorld(t);
  const runId = await world.push(onPush);
  t.like(await world.engine.state(runId), { phase: 'queued', plan: { steps: [] } });
  t.like(await world.takeAndPlan(), { runId, phase: 'created', plan: { pipeline: 'p' } });
  const state = await world.engine.drive(runId, world.observer, never);
  t.is(state.verdict?.outcome, 'succeeded');
  t.deepEqual(await world.engine.state(runId), state);
  t.like(await world.store.run(runId), { pipeline: 'p', phase: 'finished', outcome: 'succeeded' });
  t.is(await world.engine.take(9), undefined);
});

test('R000-2: a file with mistakes ends the run, which keeps every problem with its place', async (t) => {
  const world = await openWorld(t);
  const runId = await world.push(
    'pipeline: p\non: { push: }\nsteps: { a: { run: x, imagee: y }, b: { run: x, tmeout: 1m } }\n',
  );
  const state = await world.takeAndPlan();
  t.like(state, { phase: 'finished', verdict: { outcome: 'failed', reason: 'pipeline_invalid' } });
  t.true((state.problems?.length ?? 0) >= 2);
  t.regex(state.verdict?.message ?? '', /^sluice\.yaml:3:\d+: .* And \d+ more\.$/);
  t.deepEqual(await types(world, runId), ['run-requested', 'run-refused', 'run-finished']);
});

test('an event that the triggers leave out is skipped, and says why', async (t) => {
  const world = await openWorld(t);
  await world.push(onPush, { branch: 'topic', ref: 'refs/heads/topic' });
  t.like((await world.takeAndPlan()).verdict, {
    outcome: 'skipped',
    reason: 'not_triggered',
    message: 'The branch `topic` fits none of the patterns of `push`.',
  });
});

test('R001-21: a commit that is not there is named', async (t) => {
  const world = await openWorld(t);
  await world.push(onPush, { commit: '0123456789'.repeat(4) });
  const { verdict } = await world.takeAndPlan();
  t.like(verdict, { outcome: 'errored', reason: 'source_failed' });
  t.regex(verdict?.message ?? '', /0123456789/);
});

const onlyNewest = (script: string) =>
  `pipeline: p\nconcurrency: { group: g, policy: cancel }\non: { push: }\nsteps: { a: { run: ${JSON.stringify(script)} } }\n`;

test('policy cancel: a run that the queue let a newer one go before is superseded, and takes nothing from it', async (t) => {
  const world = await openWorld(t);
  const older = await world.push(onlyNewest('true'));
  const newer = await world.push(onlyNewest('sleep 60'), {}, { priority: 10 });
  const interrupt = new AbortController();
  t.is((await world.takeAndPlan()).runId, newer);
  const running = world.engine.drive(newer, world.observer, interrupt.signal);
  while ((await world.store.run(newer))?.phase !== 'running') await sleep(10);
  t.is((await world.takeAndPlan()).runId, older);
  const { verdict } = await world.engine.drive(older, world.observer, never);
  t.like(verdict, { outcome: 'cancelled', reason: 'superseded', message: `run ${newer} is newer` });
  t.deepEqual(await types(world, older), ['run-requested', 'run-created', 'run-finished']);
  t.is((await world.engine.state(newer)).cancel, undefined);
  interrupt.abort();
  await running;
});

test('policy cancel: what was superseded in the queue is not run after the newer one has ended either', async (t) => {
  const world = await openWorld(t);
  const older = await world.push(onlyNewest('true'));
  const newer = await world.push(onlyNewest('true'), {}, { priority: 10 });
  await world.takeAndPlan();
  t.is((await world.engine.drive(newer, world.observer, never)).verdict?.outcome, 'succeeded');
  await world.takeAndPlan();
  t.is((await world.engine.drive(older, world.observer, never)).verdict?.reason, 'superseded');
  const again = await world.engine.rerun(older, { kind: 'failed' });
  t.is((await world.engine.drive(again, world.observer, never)).verdict?.outcome, 'succeeded');
});

test('policy queue: of runs that wait for a group the older goes first, whatever their priorities', async (t) => {
  const world = await openWorld(t);
  const inTurn = (script: string) => onlyNewest(script).replace('cancel', 'queue');
  const holder = await world.push(inTurn('sleep 60'), {}, { priority: 10 });
  const interrupt = new AbortController();
  await world.takeAndPlan();
  const running = world.engine.drive(holder, world.observer, interrupt.signal);
  while ((await world.store.run(holder))?.phase !== 'running') await sleep(10);
  const older = await world.push(inTurn('true'));
  const newer = await world.push(inTurn('true'), {}, { priority: 5 });
  t.is((await world.takeAndPlan()).runId, newer);
  const second = world.engine.drive(newer, world.observer, never);
  while ((await world.store.run(newer))?.phase !== 'waiting') await sleep(10);
  t.is((await world.takeAndPlan()).runId, older);
  const first = world.engine.drive(older, world.observer, never);
  while ((await world.store.run(older))?.phase !== 'waiting') await sleep(10);
  interrupt.abort();
  const [{ startedAt: then = Infinity }, { finishedAt: before = 0 }] = [await second, await first, await running];
  t.true(then >= before);
});

test('a repetition has the priority of its run, and is part of the trace of who asks for it', async (t) => {
  const world = await openWorld(t);
  const first = await world.push(onPush.replace('echo one', 'exit 1'), {}, { priority: 3 });
  await world.takeAndPlan();
  await world.engine.drive(first, world.observer, never);
  const traceParent = { traceId: 'a'.repeat(32), parentId: 'b'.repeat(16), sampled: true };
  const second = await world.engine.queueRerun(first, { kind: 'failed' }, traceParent);
  t.like(await world.store.run(second), { priority: 3 });
  t.like((await world.engine.state(second)).request, { priority: 3, traceParent });
  await world.engine.take(9);
  await world.engine.drive(second, world.observer, never);
  const third = await world.engine.queueRerun(second, { kind: 'failed' });
  t.is((await world.engine.state(third)).request.traceParent, undefined);
});

test('a run that is cancelled in the queue, or while its pipeline is read, never gets a plan', async (t) => {
  const world = await openWorld(t);
  const early = await world.push(onPush);
  await world.engine.cancel(early, 'ada');
  t.like(await world.takeAndPlan(), { phase: 'finished', verdict: { outcome: 'cancelled' } });
  const late = await world.push(onPush);
  await world.engine.take(9);
  const state = await world.engine.plan(late, async () => {
    await world.engine.cancel(late, 'ada');
    return world.path('repository');
  });
  t.like(state, { phase: 'finished', verdict: { outcome: 'cancelled' } });
  t.deepEqual(await types(world, late), ['run-requested', 'cancel-requested', 'run-finished']);
});

test('a pull request from a fork, or of an outsider, gets no secret', async (t) => {
  const world = await openWorld(t, { secrets: { TOKEN: 'a-long-secret-value' } });
  const yaml = 'pipeline: p\non: { pull_request: }\nsteps: { a: { run: "true", secrets: [TOKEN] } }\n';
  const pullRequest = { number: 7, base: 'main', fork: true };
  await world.push(yaml, { event: 'pull_request', pullRequest });
  t.like((await world.takeAndPlan()).problems, [{ code: 'secret-untrusted' }]);
  await world.push(yaml, { event: 'pull_request', pullRequest: { ...pullRequest, fork: false, outsider: true } });
  t.like((await world.takeAndPlan()).problems, [{ code: 'secret-untrusted' }]);
  await world.push(yaml, { event: 'pull_request', pullRequest: { ...pullRequest, fork: false } });
  t.like(await world.takeAndPlan(), { phase: 'created' });
});

test('R000-21: a run whose runner died before it had a plan is taken by the next; one that kills its readers is given up', async (t) => {
  const world = await openWorld(t, { owner: { id: 'dead', host: 'h', pid: 1, startedAt: '' } });
  const runId = await world.push(onPush);
  for (let tries = 0; tries < 3; tries++) t.is(await world.engine.take(9), runId);
  t.like(await world.takeAndPlan(), { runId, verdict: { outcome: 'errored', reason: 'internal_error' } });
});
