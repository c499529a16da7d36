import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Repository } from '../store/intake.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { fireSchedule } from './fire-schedule.ts';
import { nextTime } from './schedule-times.ts';

const nightly = { cron: '0 3 * * *', timezone: 'UTC' };
const head = { commit: '0123456789'.repeat(4), ref: 'refs/heads/main' };
const shop: Repository = {
  id: 'shop-id',
  name: 'shop',
  forge: 'git',
  forgeId: '',
  cloneUrl: '/shop.git',
  file: 'sluice.yaml',
  forks: 'ignore',
  secrets: '',
  createdAt: 1,
};

/** A repository with a schedule that is due since `since`, and runners whose clock says `now`. */
async function setUp(t: ExecutionContext, since: string, now: string) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-schedule-'));
  t.teardown(() => rm(folder, { recursive: true }));
  let count = 0;
  const runner = async () => {
    const store = await openSqliteStore({ file: join(folder, 'sluice.db'), clock: () => 1, isAlive: () => true });
    t.teardown(() => store.close());
    const newRunId = () => `run-${(count += 1)}`;
    return { intake: store, watch: store, clock: () => Date.parse(now), notifyOf: () => [], newRunId };
  };
  const first = await runner();
  await first.intake.addRepository(shop);
  const nextAt = nextTime(nightly, Date.parse(since)) ?? 0;
  await first.watch.keepSchedules(shop.id, head.commit, [{ ...nightly, nextAt }]);
  return { first, second: await runner(), due: { repositoryId: shop.id, ...nightly, nextAt } };
}

test('of times that nobody was there for the latest is run, and the next one is in the future', async (t) => {
  const { first, due } = await setUp(t, '2026-06-01T00:00:00Z', '2026-06-09T12:00:00Z');
  await fireSchedule(first, shop, due, head);
  t.like(await first.intake.runs({}), [{ event: 'schedule', branch: 'main', commit: head.commit }]);
  t.like(await first.intake.deliveries({}), [{ forgeId: 'schedule 0 3 * * * UTC 2026-06-09T03:00:00.000Z' }]);
  t.deepEqual(await first.watch.dueSchedules(Date.parse('2026-06-10T02:59:00Z')), []);
  t.is((await first.watch.dueSchedules(Date.parse('2026-06-10T03:00:00Z'))).length, 1);
});

test('two runners that see the same time come start one run', async (t) => {
  const { first, second, due } = await setUp(t, '2026-06-01T00:00:00Z', '2026-06-01T03:00:00Z');
  const fired = await Promise.all([first, second].map((runner) => fireSchedule(runner, shop, due, head)));
  t.is(new Set(fired.map(({ runId }) => runId)).size, 1);
  t.is((await first.intake.runs({})).length, 1);
});
