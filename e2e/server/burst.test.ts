import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { openSqliteStore } from '../../runner/store/sqlite/sqlite-store.ts';
import { announce, Place } from './served.ts';
import type { Hook } from './served.ts';

const yaml = 'pipeline: shop\non: { push: { branches: [main] } }\nsteps: { unit: { run: echo tested } }\n';

interface Announcement {
  readonly delivery: string;
  readonly ref: string;
}

/** `count` announcements in no order. Three of ten repeat others: half of those by their id, half under an id of their own. */
function burstOf(count: number): { readonly announcements: readonly Announcement[]; readonly distinct: number } {
  const distinct = count * 0.7;
  const first = Array.from({ length: distinct }, (_, index) => ({
    delivery: `delivery-${index}`,
    ref: `refs/heads/branch-${index}`,
  }));
  const repeated = first.slice(0, count - distinct).map((one, index) => {
    return index % 2 === 0 ? one : { ...one, delivery: `again-${index}` };
  });
  const order = (index: number) => (index * 7_919) % count;
  const announcements = [...first, ...repeated].toSorted((a, b) => order(indexIn(a, first)) - order(indexIn(b, first)));
  return { announcements, distinct };
}

function indexIn({ ref }: Announcement, first: readonly Announcement[]): number {
  return first.findIndex((one) => one.ref === ref);
}

async function setUp(t: ExecutionContext) {
  // What is queued stays queued, so that all there is to see is what deliveries did.
  const place = await Place.open(t, { SLUICE_RUNS: '0', SLUICE_POLL_SECONDS: '0' });
  const commit = await place.push(yaml);
  const url = join(place.folder, 'shop.git');
  const hook = (await place.sluice('repository', 'add', 'shop', '--forge', 'gitea', '--url', url)) as Hook;
  await place.serve();
  return { place, commit, hook };
}

/** Announces until it is acknowledged, as forges and those who redeliver do; answers the run that it was told. */
async function acknowledged(place: Place, hook: Hook, commit: string, one: Announcement): Promise<string> {
  for (;;) {
    try {
      const { status, body } = await announce(place.url, hook, commit, one);
      const [delivery] = (body as { readonly deliveries: readonly { readonly runId: string }[] }).deliveries;
      if (status === 202 && delivery) return delivery.runId;
    } catch {
      // The server is gone, or went in the middle of the answer.
    }
    await sleep(100);
  }
}

/** Announces all, sixteen at a time; the run that each was told, by ref. */
async function announceAll(place: Place, hook: Hook, commit: string, announcements: readonly Announcement[]) {
  const told = new Map<string, Set<string>>();
  const waiting = announcements.values();
  const sender = async () => {
    for (const one of waiting) {
      const runId = await acknowledged(place, hook, commit, one);
      told.set(one.ref, (told.get(one.ref) ?? new Set<string>()).add(runId));
    }
  };
  await Promise.all(Array.from({ length: 16 }, sender));
  return told;
}

async function stored(t: ExecutionContext, place: Place) {
  const file = join(place.folder, 'home', 'sluice.db');
  const store = await openSqliteStore({ file, clock: Date.now, isAlive: () => true });
  t.teardown(() => store.close());
  return { runs: await store.runs({}), deliveries: await store.deliveries({}) };
}

test('R000-21, E18: a burst of 1,000 deliveries of which 300 are repetitions starts exactly the 700 runs', async (t) => {
  t.timeout(120_000);
  const { place, commit, hook } = await setUp(t);
  const { announcements, distinct } = burstOf(1_000);
  const told = await announceAll(place, hook, commit, announcements);
  const { runs, deliveries } = await stored(t, place);
  t.is(runs.length, distinct);
  t.is(told.size, distinct);
  t.deepEqual(new Set([...told.values()].map((ids) => ids.size)), new Set([1]));
  t.deepEqual([...told.values()].flatMap((ids) => [...ids]).toSorted(), runs.map(({ runId }) => runId).toSorted());
  // By id it was known before; under another id it is a delivery of its own.
  t.is(deliveries.length, 850);
  t.is(deliveries.filter(({ outcome }) => outcome === 'duplicate').length, 150);
});

test('R000-21: the server is killed again and again under deliveries, and each that was acknowledged has one run', async (t) => {
  t.timeout(180_000);
  const { place, commit, hook } = await setUp(t);
  const { announcements, distinct } = burstOf(1_000);
  let over = false;
  let kills = 0;
  const killing = async () => {
    while (!over) {
      // It lives longer each time, so that even where it starts slowly all is taken in the end.
      await sleep(150 * 1.15 ** kills);
      await place.kill();
      kills++;
      await place.serve();
    }
  };
  const killed = killing();
  const told = await announceAll(place, hook, commit, announcements);
  over = true;
  await killed;
  t.true(kills >= 3, `${kills} kills`);
  const { runs, deliveries } = await stored(t, place);
  t.is(runs.length, distinct);
  t.deepEqual(new Set([...told.values()].map((ids) => ids.size)), new Set([1]));
  t.deepEqual([...told.values()].flatMap((ids) => [...ids]).toSorted(), runs.map(({ runId }) => runId).toSorted());
  t.is(deliveries.filter(({ outcome }) => outcome === 'run').length, distinct);
});
