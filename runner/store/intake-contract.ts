import test from 'ava';
import { finished, newRun, owner, shop, started } from './contract-data.ts';
import type { NewDelivery, RunRequested } from './intake.ts';
import { nobody } from './store.ts';
import type { SetUp } from './contract-fixture.ts';

function requested(runId: string, repository = 'shop', at = 1, priority = 0): RunRequested {
  const { request } = newRun(runId, { repository }).event;
  return { type: 'run-requested', at, runId, request: { ...request, ...(priority !== 0 && { priority }) } };
}

function announced(id: string, change?: string): NewDelivery {
  const delivery = { id, repositoryId: 'shop-id', forgeId: `forge-${id}`, event: 'push', receivedAt: 5, payload: '' };
  if (change === undefined) return { delivery: { ...delivery, reason: 'a ping' }, boundTo: '7' };
  return {
    delivery: { ...delivery, reason: '' },
    boundTo: '7',
    run: { change, event: requested(`run-of-${id}`) },
  };
}

/** What every Intake owes its users. */
export function intakeContract(setUp: SetUp): void {
  test('a repository is known by its id and listed by name, and a name is taken once', async (t) => {
    const { store } = await setUp(t);
    await store.addRepository(shop);
    const other = { ...shop, id: 'other-id', name: 'assets' };
    await store.addRepository(other);
    t.deepEqual(await store.repository('shop-id'), shop);
    t.deepEqual(await store.repositoryNamed('assets'), other);
    t.is(await store.repositoryNamed('shop-id'), undefined);
    t.deepEqual(await store.repositories(), [other, shop]);
    await t.throwsAsync(store.addRepository({ ...shop, id: 'again' }), { code: 'ERR_CONFLICT', message: /"shop"/ });
    await store.removeRepository('other-id');
    t.is(await store.repository('other-id'), undefined);
    await t.throwsAsync(store.removeRepository('other-id'), { code: 'ERR_NOT_FOUND' });
  });

  test('a delivery and its run are there together, and the run waits in the queue', async (t) => {
    const { store } = await setUp(t);
    await store.addRepository(shop);
    const delivery = await store.deliver(announced('d1', 'push main 1'));
    t.like(delivery, { outcome: 'run', runId: 'run-of-d1' });
    t.deepEqual(await store.delivery('d1'), delivery);
    t.like(await store.run('run-of-d1'), { phase: 'queued', repository: 'shop', version: 1 });
    t.like(await store.events('run-of-d1'), [{ type: 'run-requested', version: 1 }]);
    t.deepEqual(await store.abandoned(), []);
  });

  test('R000-21: a delivery that comes again answers what it did the first time', async (t) => {
    const { store } = await setUp(t);
    await store.addRepository(shop);
    const first = await store.deliver(announced('d1', 'push main 1'));
    const again = announced('d2', 'push main 2');
    t.deepEqual(await store.deliver({ ...again, delivery: { ...again.delivery, forgeId: 'forge-d1' } }), first);
    t.is((await store.runs({})).length, 1);
    t.is((await store.deliveries({})).length, 1);
  });

  test('the same change under another delivery id is a duplicate that names its run', async (t) => {
    const { store } = await setUp(t);
    await store.addRepository(shop);
    await store.deliver(announced('d1', 'push main 1'));
    t.like(await store.deliver(announced('d2', 'push main 1')), { outcome: 'duplicate', runId: 'run-of-d1' });
    t.is((await store.runs({})).length, 1);
  });

  test('of deliveries of one change that come at once exactly one starts a run', async (t) => {
    const { store, connect } = await setUp(t);
    await store.addRepository(shop);
    const other = await connect();
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? store : other).deliver(announced(`d${index}`, 'push main 1')),
      ),
    );
    t.is(all.filter(({ outcome }) => outcome === 'run').length, 1);
    t.is(new Set(all.map(({ runId }) => runId)).size, 1);
    t.is((await store.runs({})).length, 1);
  });

  test('of equal announcements by a forge that gives no number of the repository one starts a run too', async (t) => {
    const { store, connect } = await setUp(t);
    await store.addRepository(shop);
    const other = await connect();
    const bare = { ...announced('d', 'push main 1'), boundTo: '' };
    const deliver = (index: number) =>
      (index % 2 === 0 ? store : other).deliver({ ...bare, delivery: { ...bare.delivery, id: `d${index}` } });
    const all = await Promise.all(Array.from({ length: 20 }, (_, index) => deliver(index)));
    t.is(new Set(all.map(({ id }) => id)).size, 1);
    t.is((await store.runs({})).length, 1);
  });

  test('what starts nothing is kept with its reason', async (t) => {
    const { store } = await setUp(t);
    await store.addRepository(shop);
    t.like(await store.deliver(announced('d1')), { outcome: 'ignored', reason: 'a ping' });
    t.like(await store.deliver(announced('d2')), { outcome: 'ignored', reason: 'a ping' });
    t.deepEqual(await store.runs({}), []);
  });

  test('a repository is bound by its first delivery, and another one is refused without a trace', async (t) => {
    const { store } = await setUp(t);
    await store.addRepository(shop);
    await store.deliver(announced('d1', 'push main 1'));
    t.is((await store.repository('shop-id'))?.forgeId, '7');
    const foreign = { ...announced('d2', 'push main 2'), boundTo: '8' };
    await t.throwsAsync(store.deliver(foreign), { code: 'ERR_FORBIDDEN' });
    t.is((await store.deliveries({})).length, 1);
    t.is((await store.runs({})).length, 1);
  });

  test('deliveries are listed newest first and page by page', async (t) => {
    const { store } = await setUp(t);
    await store.addRepository(shop);
    for (const id of ['a', 'b', 'c']) await store.deliver(announced(id));
    const ids = async (filter: Parameters<typeof store.deliveries>[0]) =>
      (await store.deliveries(filter)).map(({ id }) => id);
    t.deepEqual(await ids({ limit: 2 }), ['c', 'b']);
    t.deepEqual(await ids({ after: 'b' }), ['a']);
    t.deepEqual(await ids({ repositoryIds: ['other'] }), []);
    t.deepEqual(await ids({ repositoryIds: [] }), []);
    t.deepEqual(await ids({ repositoryIds: ['other', 'shop-id'], limit: 1 }), ['c']);
  });

  test('the oldest queued run comes first, and each is taken once', async (t) => {
    const { store, connect } = await setUp(t);
    await store.enqueue(requested('late', 'shop', 2));
    await store.enqueue(requested('early', 'shop', 1));
    await t.throwsAsync(store.enqueue(requested('early')), { code: 'ERR_CONFLICT' });
    t.deepEqual(await store.queueDepth(), { ready: 2, held: 0 });
    t.like(await store.takeQueued(owner('a'), 9), { runId: 'early', fence: 1 });
    t.deepEqual(await store.queueDepth(), { ready: 1, held: 0 });
    const other = await connect();
    const taken = await Promise.all([store.takeQueued(owner('a'), 9), other.takeQueued(owner('b'), 9)]);
    t.deepEqual(
      taken.flatMap((lease) => (lease ? [lease.runId, lease.fence] : [])),
      ['late', 1],
    );
  });

  test('a held run is taken by nobody until somebody has reviewed or cancelled it', async (t) => {
    const { store } = await setUp(t);
    for (const id of ['held', 'cancelled']) {
      const event = requested(id);
      await store.enqueue({ ...event, request: { ...event.request, held: true } });
    }
    t.is(await store.takeQueued(owner('a'), 9), undefined);
    t.deepEqual(await store.queueDepth(), { ready: 0, held: 2 });
    await store.request('cancelled', { type: 'cancel-requested', at: 2, by: 'ada', reason: 'cancelled' });
    t.like(await store.takeQueued(owner('a'), 9), { runId: 'cancelled' });
    t.is(await store.takeQueued(owner('a'), 9), undefined);
    const review = { commit: 'c'.repeat(40), approved: true, by: 'ada', comment: '' };
    await store.request('held', { type: 'run-reviewed', at: 3, ...review });
    t.like(await store.takeQueued(owner('a'), 9), { runId: 'held' });
    t.like(await store.events('held', 1), [{ type: 'run-reviewed', ...review }]);
  });

  test('a repetition that is put into the queue leaves what waits there as it is', async (t) => {
    const { store } = await setUp(t);
    const event = requested('held');
    await store.enqueue({ ...event, request: { ...event.request, held: true } });
    await store.enqueue(requested('waiting', 'shop', 1));
    await store.createRun(newRun('repeated', { createdAt: 2 }), nobody);
    t.deepEqual(await store.abandoned(), []);
    t.deepEqual(await store.queueDepth(), { ready: 2, held: 1 });
    const take = async () => (await store.takeQueued(owner('a'), 9))?.runId;
    t.deepEqual([await take(), await take(), await take()], ['waiting', 'repeated', undefined]);
  });

  test('a repository with many runs under way lets others go first, and waits at its limit', async (t) => {
    const { store } = await setUp(t);
    for (const id of ['b1', 'b2', 'b3']) await store.enqueue(requested(id, 'busy', 1));
    await store.enqueue(requested('q1', 'quiet', 2));
    const take = async () => (await store.takeQueued(owner('a'), 2))?.runId;
    t.deepEqual([await take(), await take(), await take(), await take()], ['b1', 'q1', 'b2', undefined]);
  });

  test('of the queued runs of a repository the one with the highest priority comes first, then the oldest', async (t) => {
    const { store } = await setUp(t);
    await store.enqueue(requested('low', 'shop', 1, -1));
    await store.enqueue(requested('usual', 'shop', 2));
    await store.enqueue(requested('urgent-late', 'shop', 4, 5));
    await store.enqueue(requested('urgent', 'shop', 3, 5));
    t.like(await store.run('urgent'), { priority: 5 });
    t.like(await store.run('usual'), { priority: 0 });
    const repeated = newRun('repeated', { priority: 7, createdAt: 5 });
    await store.createRun(repeated, nobody);
    const take = async () => (await store.takeQueued(owner('a'), 9))?.runId;
    const taken = [await take(), await take(), await take(), await take(), await take(), await take()];
    t.deepEqual(taken, ['repeated', 'urgent', 'urgent-late', 'usual', 'low', undefined]);
  });

  test('a priority puts no repository before another, whatever stands behind its run', async (t) => {
    const { store } = await setUp(t);
    await store.enqueue(requested('eager-old', 'eager', 1));
    await store.enqueue(requested('other', 'other', 2));
    await store.enqueue(requested('eager-urgent', 'eager', 3, 100));
    const take = async () => (await store.takeQueued(owner('a'), 9))?.runId;
    t.deepEqual([await take(), await take(), await take()], ['other', 'eager-urgent', 'eager-old']);
  });

  test('a repository that asks for ever more runs of the highest priority holds up no other for ever', async (t) => {
    const { store } = await setUp(t);
    // One place for all, and always somebody of the eager repository who waits for it.
    const eager = (at: number) => store.enqueue(requested(`eager-${at}`, 'eager', at, 100));
    await store.enqueue(requested('eager-old', 'eager', 1));
    await eager(2);
    await eager(3);
    await store.enqueue(requested('low', 'other', 4, -100));
    const order: string[] = [];
    for (let at = 5; at < 10; at++) {
      await eager(at);
      const lease = (await store.takeQueued(owner('a'), 9)) ?? t.fail('nothing was queued');
      order.push(lease.runId);
      await store.append(lease, 1, [finished({ outcome: 'succeeded' })]);
    }
    t.deepEqual(order, ['eager-2', 'eager-3', 'low', 'eager-5', 'eager-6']);
  });

  test('runs that wait and are under way are taken along to the schema that knows priorities', async (t) => {
    const { store, connect, execute } = await setUp(t);
    await store.enqueue(requested('under-way', 'shop', 1));
    const lease = (await store.takeQueued(owner('a'), 9)) ?? t.fail('nothing was queued');
    await store.enqueue(requested('waiting', 'shop', 2));
    await execute('ALTER TABLE runs DROP COLUMN priority');
    await execute('UPDATE schema_version SET version = 8');
    const newer = await connect();
    t.like(await newer.run('under-way'), { phase: 'queued', priority: 0 });
    t.is(await store.append(lease, 1, [started('unit')]), 2);
    // As a server of the older version writes, which is still there while the others are replaced.
    await execute(`INSERT INTO runs (run_id, repository, pipeline, branch, commit_id, event, phase, created_at, version, group_name,
      fence, owner_id, owner_host, owner_pid, owner_started_at) SELECT 'of-the-older', repository, pipeline, branch, commit_id, event,
      phase, 3, 0, group_name, fence, owner_id, owner_host, owner_pid, owner_started_at FROM runs WHERE run_id = 'waiting'`);
    await newer.enqueue(requested('urgent', 'shop', 4, 1));
    const take = async () => (await newer.takeQueued(owner('b'), 9))?.runId;
    t.deepEqual([await take(), await take(), await take()], ['urgent', 'waiting', 'of-the-older']);
  });

  test('a run that was taken is driven under its lease, and waits for another runner when that dies', async (t) => {
    const { store, kill } = await setUp(t);
    await store.enqueue(requested('r1'));
    const lease = (await store.takeQueued(owner('a'), 9)) ?? t.fail('nothing was queued');
    const { event } = newRun('r1');
    await store.append(lease, 1, [{ ...event, pipeline: 'shop-api', group: 'deploy' }, started('unit')]);
    t.like(await store.run('r1'), { phase: 'created', pipeline: 'shop-api', group: 'deploy', version: 3 });
    await kill('a');
    t.like(await store.abandoned(), [{ runId: 'r1' }]);
    t.like(await store.claim('r1', owner('b')), { runId: 'r1', fence: 2 });
    await t.throwsAsync(store.append(lease, 3, [started('lint')]), { code: 'ERR_CONFLICT' });
  });
}
