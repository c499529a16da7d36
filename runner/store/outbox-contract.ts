import test from 'ava';
import type { NoticeTarget } from '../model/run-request.ts';
import { finished, newRun, owner, started } from './contract-data.ts';
import type { SetUp } from './contract-fixture.ts';
import type { Notice } from './outbox.ts';
import type { NewRun, Store } from './store.ts';

const status: NoticeTarget = { kind: 'status', name: 'shop' };
const team: NoticeTarget = { kind: 'events', name: 'team' };
const audit: NoticeTarget = { kind: 'events', name: 'audit' };
const succeeded = finished({ outcome: 'succeeded' });

function telling(runId: string, notify: readonly NoticeTarget[], createdAt = 1): NewRun {
  const run = newRun(runId, { createdAt });
  return { ...run, event: { ...run.event, request: { ...run.event.request, notify } } };
}

async function finish(store: Store, runId: string, notify: readonly NoticeTarget[], at: number): Promise<void> {
  const lease = await store.createRun(telling(runId, notify), owner('a'));
  await store.append(lease, 1, [{ ...succeeded, at }]);
}

const brief = (notices: readonly Notice[]) =>
  notices.map(({ target, runId, state, version, attempts }) =>
    [target.name, runId, state, version, attempts].join(' '),
  );

/** What every Outbox owes its users. */
export function outboxContract(setUp: SetUp): void {
  test('runs that name nobody leave nothing to tell', async (t) => {
    const { store } = await setUp(t);
    const lease = await store.createRun(newRun('r1'), owner('a'));
    await store.append(lease, 1, [{ type: 'run-started', at: 2 }, succeeded]);
    t.deepEqual(await store.takeNotices(100, 10, 10), []);
    t.is(await store.nextNotice(), undefined);
  });

  test('a notice holds the run, and what was asked for', async (t) => {
    const { store } = await setUp(t);
    const run = telling('r1', [status]);
    await store.createRun(run, owner('a'));
    const [notice] = await store.takeNotices(100, 10, 10);
    t.deepEqual(notice, {
      target: status,
      runId: 'r1',
      version: 1,
      state: 'queued',
      at: 1,
      attempts: 1,
      run: { ...run.row, phase: 'created', version: 1 },
      request: run.event.request,
    });
  });

  test('a requested run is told about once it has a plan, and never when its file does not want it', async (t) => {
    const { store } = await setUp(t);
    const { request, ...created } = telling('r1', [status]).event;
    await store.enqueue({ type: 'run-requested', at: 1, runId: 'r1', request });
    await store.enqueue({ type: 'run-requested', at: 2, runId: 'r2', request });
    t.deepEqual(brief(await store.takeNotices(100, 10, 10)), []);
    const lease = await store.takeQueued(owner('a'), 9);
    if (lease) await store.append(lease, 1, [{ ...created, request }]);
    const other = await store.takeQueued(owner('a'), 9);
    if (other) await store.append(other, 1, [finished({ outcome: 'skipped', reason: 'not_triggered' })]);
    t.deepEqual(brief(await store.takeNotices(200, 10, 10)), ['shop r1 queued 2 1']);
  });

  test('R000-21: of a commit status the last state wins, even while an older one is on its way', async (t) => {
    const { store } = await setUp(t);
    const lease = await store.createRun(telling('r1', [status]), owner('a'));
    const [queued] = await store.takeNotices(100, 10, 10);
    await store.append(lease, 1, [{ type: 'run-started', at: 2 }, started('unit')]);
    await store.append(lease, 3, [succeeded]);
    if (queued) await store.settleNotice(queued);
    const [last, ...more] = await store.takeNotices(100, 10, 10);
    t.deepEqual(more, []);
    t.like(last, { state: 'finished', version: 4, attempts: 1, run: { outcome: 'succeeded', finishedAt: 9 } });
    if (queued) await store.postponeNotice(queued, 0);
    t.deepEqual(await store.takeNotices(100, 10, 10), [], 'who has the older one has no say about the newer');
    if (last) await store.settleNotice(last);
    t.is(await store.nextNotice(), undefined);
  });

  test('subscribers hear of the end only, each in order, and one that waits holds up no other', async (t) => {
    const { store } = await setUp(t);
    await finish(store, 'r2', [team, audit, status], 20);
    await finish(store, 'r1', [team], 10);
    await finish(store, 'r3', [team], 20);
    const first = await store.takeNotices(100, 10, 10);
    t.deepEqual(brief(first).toSorted(), ['audit r2 finished 2 1', 'shop r2 finished 2 1', 'team r1 finished 2 1']);
    t.is(first[0]?.runId, 'r1', 'the oldest first');
    const [r1] = first;
    if (r1) await store.postponeNotice(r1, 500);
    t.deepEqual(brief(await store.takeNotices(499, 1, 10)).toSorted(), [
      'audit r2 finished 2 2',
      'shop r2 finished 2 2',
    ]);
    const [again] = await store.takeNotices(500, 10, 1);
    t.like(again, { runId: 'r1', attempts: 2 });
    if (again) await store.settleNotice(again);
    t.deepEqual(
      brief(await store.takeNotices(1_000, 10, 10)).filter((line) => line.startsWith('team')),
      ['team r2 finished 2 1'],
    );
  });

  test('what somebody has taken is due again for others once his time is over', async (t) => {
    const { store, connect } = await setUp(t);
    const other = await connect();
    await finish(store, 'r1', [team], 10);
    t.is(await store.nextNotice(), 10);
    t.deepEqual(await store.takeNotices(9, 10, 10), [], 'not before it happened');
    const [mine] = await store.takeNotices(10, 60, 10);
    t.is(await other.nextNotice(), 70);
    t.deepEqual(await other.takeNotices(69, 60, 10), []);
    const [his] = await other.takeNotices(70, 60, 10);
    t.like(his, { runId: 'r1', attempts: 2 });
    if (mine) await store.settleNotice(mine);
    t.is(await store.nextNotice(), 130, 'the first has lost it');
    if (his) await other.settleNotice(his);
    t.is(await store.nextNotice(), undefined);
  });

  test('of two that take at once each gets what the other does not', async (t) => {
    const { store, connect } = await setUp(t);
    const other = await connect();
    for (let run = 0; run < 10; run++) await finish(store, `r${run}`, [status], 10);
    const taken = await Promise.all([store.takeNotices(100, 10, 10), other.takeNotices(100, 10, 10)]);
    t.deepEqual(
      taken
        .flat()
        .map(({ runId }) => runId)
        .toSorted(),
      Array.from({ length: 10 }, (_, run) => `r${run}`),
    );
  });

  test('an append that is refused leaves nothing to tell', async (t) => {
    const { store } = await setUp(t);
    const lease = await store.createRun(telling('r1', [team]), owner('a'));
    await t.throwsAsync(store.append(lease, 7, [succeeded]), { code: 'ERR_CONFLICT' });
    t.is(await store.nextNotice(), undefined);
  });
}
