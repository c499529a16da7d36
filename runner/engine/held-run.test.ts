import test from 'ava';
import type { Review } from '../model/run-event.ts';
import { openWorld } from './engine-fixture.ts';
import type { World } from './engine-fixture.ts';

const never = new AbortController().signal;
const pipeline = 'pipeline: p\non: { push: , pull_request: }\nsteps: { a: { run: echo ran } }\n';
const caching = `pipeline: p
on: { push: , pull_request: }
steps:
  a:
    cache: { key: k, paths: [kept] }
    run: if [ -f kept ]; then cat kept; else echo nothing; fi; echo "of $BY" > kept
    env: { BY: "\${{ branch }}" }
`;

function fork(number: number) {
  return {
    event: 'pull_request',
    branch: `fork-${number}`,
    pullRequest: { number, base: 'main', fork: true },
  } as const;
}

async function commitOf(world: World, runId: string): Promise<string> {
  return (await world.engine.state(runId)).request.trigger.commit;
}

function review(commit: string, approved = true): Review {
  return { commit, approved, by: 'ada', comment: approved ? '' : 'it reads the environment' };
}

test('A11: a held run waits for an approval, and one of another commit is none', async (t) => {
  const world = await openWorld(t);
  const first = await world.push(pipeline, fork(5), { held: true });
  const second = await world.push(`${pipeline}# more\n`, fork(5), { held: true });
  const [approved, other] = [await commitOf(world, first), await commitOf(world, second)];
  t.is(await world.engine.take(9), undefined);
  await t.throwsAsync(world.engine.review(first, review(other)), { code: 'ERR_CONFLICT', message: /is of commit/ });
  t.is(await world.engine.take(9), undefined);
  await world.engine.review(first, review(approved));
  await t.throwsAsync(world.engine.review(first, review(approved, false)), { code: 'ERR_USAGE' });
  t.like(await world.takeAndPlan(), { runId: first, phase: 'created', review: { by: 'ada', approved: true } });
  t.is((await world.engine.drive(first, world.observer, never)).verdict?.outcome, 'succeeded');
  t.is(await world.engine.take(9), undefined, 'what was pushed after it waits for a word of its own');
});

test('A11: a word about another commit that got into the log all the same lets nothing run', async (t) => {
  const world = await openWorld(t);
  const runId = await world.push(pipeline, fork(5), { held: true });
  await world.store.request(runId, { type: 'run-reviewed', at: 1, ...review('f'.repeat(40)) });
  await t.throwsAsync(world.takeAndPlan(), { code: 'ERR_USAGE', message: /waits until its commit is approved/ });
  t.deepEqual(
    (await world.store.events(runId)).map(({ type }) => type),
    ['run-requested', 'run-reviewed'],
  );
});

test('a held run that is rejected or cancelled ends, and nothing of it is read', async (t) => {
  const world = await openWorld(t);
  const rejected = await world.push(pipeline, fork(5), { held: true });
  await world.engine.review(rejected, review(await commitOf(world, rejected), false));
  t.like((await world.takeAndPlan()).verdict, {
    outcome: 'failed',
    reason: 'rejected',
    message: 'it reads the environment',
  });
  const cancelled = await world.push(pipeline, fork(6), { held: true });
  await world.engine.cancel(cancelled, 'ada');
  t.like((await world.takeAndPlan()).verdict, { outcome: 'cancelled' });
  const trusted = await world.push(pipeline);
  await t.throwsAsync(world.engine.review(trusted, review(await commitOf(world, trusted))), { code: 'ERR_USAGE' });
});

test('T-01: caches of a fork are its pull request’s alone', async (t) => {
  const world = await openWorld(t);
  const run = async (trigger?: Parameters<World['push']>[1]): Promise<string> => {
    const before = world.logOf('a').length;
    const runId = await world.push(caching, trigger);
    await world.takeAndPlan();
    const { verdict } = await world.engine.drive(runId, world.observer, never);
    t.is(verdict?.outcome, 'succeeded', verdict?.message);
    return world.logOf('a').slice(before).trim();
  };
  t.is(await run(fork(5)), 'nothing');
  t.is(await run(), 'nothing', 'what a fork left reaches nobody who is trusted');
  t.is(await run(), 'of main');
  t.is(await run(fork(5)), 'of fork-5', 'nor is what the trusted left for forks');
  t.is(await run(fork(6)), 'nothing');
});
