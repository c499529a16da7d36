import test from 'ava';
import { newRun, shop } from './contract-data.ts';
import type { SetUp } from './contract-fixture.ts';
import { foundByLook } from './intake.ts';
import type { NewDelivery } from './intake.ts';
import type { Sighting } from './watch.ts';

const main = 'refs/heads/main';

/** A push to `main` that left it at `commit`, as `event` tells of it. */
function pushed(id: string, commit: string, event = 'push', receivedAt = 5, change = `change of ${id}`): NewDelivery {
  const { request } = newRun(`run-of-${id}`, { repository: 'shop' }).event;
  return {
    delivery: { id, repositoryId: shop.id, forgeId: `forge-${id}`, event, receivedAt, reason: '', payload: '' },
    boundTo: '',
    run: { change, event: { type: 'run-requested', at: 1, runId: `run-of-${id}`, request } },
    head: `main at ${commit}`,
  };
}

function found(id: string, was: string, commit: string, receivedAt = 5): Sighting {
  return { ref: main, was, commit, delivery: pushed(id, commit, foundByLook, receivedAt) };
}

/** What every Watch owes its users. */
export function watchContract(setUp: SetUp): void {
  test('each repository is looked at in its turn, by one process', async (t) => {
    const { store, connect } = await setUp(t);
    const other = await connect();
    await store.addRepository(shop);
    await store.addRepository({ ...shop, id: 'assets-id', name: 'assets' });
    const looks = await Promise.all([store, other, store].map((one) => one.takeLook(100, 40)));
    t.deepEqual(looks.map((look) => look?.repository.id).toSorted(), ['assets-id', 'shop-id', undefined]);
    t.is(await store.takeLook(150, 90), undefined);
    t.is(await store.takeLook(160, 100, ['assets-id', 'shop-id']), undefined);
    t.like(await store.takeLook(160, 100), { since: undefined, schedulesOf: '' });
    await store.finishLook('shop-id', 160);
    await store.finishLook('assets-id', 160);
    t.like(await store.takeLook(300, 200), { since: 160 });
  });

  test('a turn that was taken by a clock far ahead holds up nobody', async (t) => {
    const { store } = await setUp(t);
    await store.addRepository(shop);
    t.like(await store.takeLook(10_000, 9_940), { repository: { id: shop.id } });
    t.is(await store.takeLook(9_950, 9_890), undefined, 'clocks of two servers may differ');
    t.like(await store.takeLook(1_000, 940), { repository: { id: shop.id } });
    t.is(await store.takeLook(1_001, 941), undefined);
  });

  test('E18: a ref that moved unannounced is run, and each change of it is seen once', async (t) => {
    const { store, connect } = await setUp(t);
    const other = await connect();
    await store.addRepository(shop);
    t.deepEqual(await store.recordSightings(shop.id, [{ ref: main, was: '', commit: 'a' }], 0), []);
    t.deepEqual(await store.seenRefs(shop.id), new Map([[main, 'a']]));
    const stored = await Promise.all([
      store.recordSightings(shop.id, [found('f1', 'a', 'b')], 0),
      other.recordSightings(shop.id, [found('f2', 'a', 'b')], 0),
    ]);
    t.is(stored.flat().length, 1);
    t.is((await store.runs({})).length, 1);
    t.like(await store.recordSightings(shop.id, [found('f3', 'b', 'a', 6)], 6), [{ outcome: 'run' }]);
    t.like(await store.recordSightings(shop.id, [found('f4', 'a', 'b', 7)], 7), [{ outcome: 'run' }]);
    t.is((await store.runs({})).length, 3);
    await store.recordSightings(shop.id, [{ ref: main, was: 'b', commit: '' }], 8);
    t.deepEqual(await store.seenRefs(shop.id), new Map());
  });

  test('E18: what a forge announced since the last look is not run again', async (t) => {
    const { store } = await setUp(t);
    await store.addRepository(shop);
    await store.recordSightings(shop.id, [{ ref: main, was: '', commit: 'a' }], 0);
    await store.deliver(pushed('d1', 'b', 'push', 50));
    t.deepEqual(await store.recordSightings(shop.id, [found('f1', 'a', 'b')], 50), []);
    t.deepEqual(await store.seenRefs(shop.id), new Map([[main, 'b']]));
    await store.recordSightings(shop.id, [found('f2', 'b', 'a')], 60);
    t.like(await store.recordSightings(shop.id, [found('f3', 'a', 'b')], 60), [{ outcome: 'run' }]);
    t.is((await store.runs({})).length, 3);
  });

  test('E18: an announcement that comes after the look is a duplicate of it, and the next push to that commit is not', async (t) => {
    const { store } = await setUp(t);
    await store.addRepository(shop);
    await store.recordSightings(shop.id, [found('f1', '', 'b')], 0);
    t.like(await store.deliver(pushed('late', 'b')), { outcome: 'duplicate', runId: 'run-of-f1' });
    const again = pushed('later', 'b', 'push', 6, 'change of late');
    t.like(await store.deliver(again), { outcome: 'duplicate', runId: 'run-of-f1' });
    t.like(await store.deliver(pushed('back', 'b')), { outcome: 'run' });
  });

  test('a look and the announcement of the same push at once start one run', async (t) => {
    const { store, connect } = await setUp(t);
    const other = await connect();
    await store.addRepository(shop);
    for (let count = 0; count < 10; count++) {
      const was = count === 0 ? '' : `c${count - 1}`;
      await Promise.all([
        store.recordSightings(shop.id, [found(`f${count}`, was, `c${count}`)], 0),
        other.deliver(pushed(`d${count}`, `c${count}`)),
      ]);
      t.is((await store.runs({})).length, count + 1);
    }
  });

  test('schedules are those of the newest commit, keep their times, and go with their repository', async (t) => {
    const { store } = await setUp(t);
    await store.addRepository(shop);
    await store.takeLook(1, 0);
    const nightly = { cron: '0 3 * * *', timezone: 'UTC' };
    const hourly = { cron: '0 * * * *', timezone: 'UTC' };
    await store.keepSchedules(shop.id, 'a', [{ ...nightly, nextAt: 10 }]);
    await store.keepSchedules(shop.id, 'b', [
      { ...hourly, nextAt: 30 },
      { ...hourly, nextAt: 30 },
      { ...nightly, nextAt: 40 },
    ]);
    t.like(await store.takeLook(9, 1), { schedulesOf: 'b' });
    t.deepEqual(await store.dueSchedules(9), []);
    const [due, ...others] = await store.dueSchedules(10);
    t.deepEqual([due, others], [{ repositoryId: shop.id, ...nightly, nextAt: 10 }, []]);
    if (due) await store.postponeSchedule(due, 50);
    if (due) await store.postponeSchedule(due, 60);
    t.deepEqual(
      (await store.dueSchedules(99)).map(({ nextAt }) => nextAt),
      [30, 50],
    );
    await store.removeRepository(shop.id);
    t.deepEqual(await store.dueSchedules(99), []);
  });
}
