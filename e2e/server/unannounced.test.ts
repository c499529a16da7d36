import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { announce, Place } from './served.ts';
import type { Hook } from './served.ts';

const green = 'pipeline: shop\non: { push: }\nsteps: { unit: { run: echo tested } }\n';

/** A repository that a server has looked at once. */
async function setUp(t: ExecutionContext, yaml: string) {
  const place = await Place.open(t, { SLUICE_POLL_SECONDS: '1' });
  const commit = await place.push(yaml);
  const hook = (await place.sluice(
    ...['repository', 'add', 'shop', '--forge', 'gitea', '--url', join(place.folder, 'shop.git')],
  )) as Hook;
  await place.serve();
  return { place, commit, hook };
}

test('E18: a push that no delivery told of is run, also one while nobody was there, and its late delivery is a duplicate', async (t) => {
  t.timeout(90_000);
  const { place, commit, hook } = await setUp(t, green);
  await sleep(3_000);
  t.deepEqual(await place.runs(), [], 'what was there before the repository was added is nobody’s news');
  const missed = await place.push(`${green}# a change\n`);
  t.like(await place.ended(1), [{ outcome: 'succeeded', commit: missed }]);
  await place.kill();
  const away = await place.push(`${green}# another\n`);
  await place.serve();
  t.like(await place.ended(2), [{ commit: away }, { commit: missed }]);
  const late = await announce(place.url, hook, away, { before: missed });
  t.like(late, { status: 202, body: { deliveries: [{ outcome: 'duplicate' }] } });
  // Nobody was told of `commit`, and a forge may still do it.
  t.like(await announce(place.url, hook, commit), { body: { deliveries: [{ outcome: 'run' }] } });
  const told = await place.push(`${green}# told at once\n`);
  await announce(place.url, hook, told, { before: away });
  await place.ended(4);
  await sleep(3_000);
  t.is((await place.runs()).length, 4);
});

test('R000-1: a schedule of the default branch starts a run at its time, by the pipeline as it is then', async (t) => {
  t.timeout(150_000);
  const nightly = 'pipeline: shop\non: { schedule: [{ cron: "* * * * *" }] }\nsteps: { unit: { run: echo tested } }\n';
  const { place, commit } = await setUp(t, nightly);
  const [run] = await place.ended(1);
  t.like(run, { outcome: 'succeeded', commit });
  const [row] = (await place.runs()) as readonly { readonly event?: string; readonly branch?: string }[];
  t.like(row, { event: 'schedule', branch: 'main' });
});
