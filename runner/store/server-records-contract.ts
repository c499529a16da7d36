import test from 'ava';
import { firstBreak } from './audit-chain.ts';
import { attempt, batches, newRun, owner, started, testCase } from './contract-data.ts';
import type { SetUp } from './contract-fixture.ts';
import type { Lease } from './store.ts';

/** What every store owes a server beside its runs. */
export function serverRecordsContract(setUp: SetUp): void {
  test('a token is found by the digest of its secret, also when it is revoked', async (t) => {
    const { store } = await setUp(t);
    const token = { id: 't1', name: 'ci', role: 'viewer', repositories: ['shop'], createdAt: 1, createdBy: 'ada' };
    await store.addToken(token, 'd1');
    await store.addToken({ ...token, id: 't2', createdAt: 2 }, 'd2');
    t.deepEqual(await store.findToken('d1'), token);
    t.is(await store.findToken('d3'), undefined);
    t.deepEqual(await store.revokeToken('t1', 5), { ...token, revokedAt: 5 });
    t.is((await store.revokeToken('t1', 9)).revokedAt, 5);
    t.deepEqual(
      (await store.tokens({ limit: 1 })).map(({ id }) => id),
      ['t2'],
    );
    t.deepEqual(
      (await store.tokens({ limit: 1, after: 't2' })).map(({ id }) => id),
      ['t1'],
    );
    await t.throwsAsync(store.revokeToken('none', 1), { code: 'ERR_NOT_FOUND' });
    await t.throwsAsync(store.addToken({ ...token, id: 't3' }, 'd1'), { code: 'ERR_CONFLICT' });
  });

  test('audit entries of many connections at once make one unbroken chain', async (t) => {
    const { connect } = await setUp(t);
    const [one, two] = await Promise.all([connect(), connect()]);
    const entry = { at: 1, actor: 'ada', action: 'cancel-run', object: '/r', requestId: 'q' };
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? one : two).addAudit({ ...entry, object: `/${i}` })),
    );
    const entries = await one.audit(0, 100);
    t.is(entries.length, 10);
    t.is(firstBreak(entries), undefined);
    t.deepEqual(
      (await two.audit(8, 1)).map(({ position }) => position),
      [9],
    );
  });

  test('a key is taken once, whoever asks at once, and keeps its answer', async (t) => {
    const { connect } = await setUp(t);
    const [one, two] = await Promise.all([connect(), connect()]);
    const taken = await Promise.all([one, two].map((store) => store.takeAnswer('ada', 'k', 'f')));
    t.is(taken.filter((kept) => kept === undefined).length, 1);
    await one.keepAnswer('ada', 'k', { status: 201, body: '{}' });
    t.deepEqual(await two.takeAnswer('ada', 'k', 'g'), { fingerprint: 'f', status: 201, body: '{}' });
    t.is(await two.takeAnswer('eve', 'k', 'g'), undefined);
    await two.dropAnswer('ada', 'k');
    t.is(await one.takeAnswer('ada', 'k', 'g'), undefined);
  });

  test('the feed has the events of all runs in the order of their commits, without gaps', async (t) => {
    const { store, connect } = await setUp(t);
    const other = await connect();
    const [first] = await Promise.all([
      store.createRun(newRun('r1'), owner('a')),
      other.createRun(newRun('r2', { repository: 'bank' }), owner('b')),
    ]);
    await store.append(first, 1, [started('a'), started('b')]);
    const feed = await other.feed(0, 100);
    t.deepEqual(
      feed.map(({ position }) => position),
      [1, 2, 3, 4],
    );
    t.deepEqual(
      feed.slice(2).map(({ runId, event }) => [runId, event.version]),
      [
        ['r1', 2],
        ['r1', 3],
      ],
    );
    t.deepEqual(
      (await store.feed(3, 100)).map(({ position }) => position),
      [4],
    );
    t.is(await store.feedEnd(), 4);
  });

  test('the results of a case are found by when their runs began; replaced and unfinished ones do not count', async (t) => {
    const { store } = await setUp(t);
    const leases: Lease[] = [];
    for (const [index, runId] of ['r1', 'r2', 'r3'].entries()) {
      const lease = await store.createRun(newRun(runId, { createdAt: index + 1 }), owner('a'));
      leases.push(lease);
      await store.saveTests(lease, attempt(runId), batches([testCase('x'), testCase('y')]));
    }
    const last = leases.at(-1) ?? { runId: 'r3', fence: 0 };
    await store.saveTests(last, attempt('r3'), batches([{ ...testCase('x'), outcome: 'passed' }]));
    const failing = async function* () {
      // Large enough to be written before the end comes.
      yield [testCase('x', 1_100_000)];
      await Promise.reject(new Error('cut off'));
    };
    await t.throwsAsync(store.saveTests(last, { ...attempt('r3'), attempt: 2 }, failing()));
    const [x] = await store.knownCases({ repository: 'shop', name: 'x', limit: 9 });
    const results = await store.caseResults(x?.caseId ?? '', { limit: 9 });
    t.deepEqual(
      results.map(({ runId, outcome }) => [runId, outcome]),
      [
        ['r3', 'passed'],
        ['r2', 'failed'],
        ['r1', 'failed'],
      ],
    );
    const after = results[0]?.cursor ?? '';
    t.deepEqual(
      (await store.caseResults(x?.caseId ?? '', { after, limit: 1 })).map(({ runId }) => runId),
      ['r2'],
    );
    t.deepEqual(
      (await store.caseResults(x?.caseId ?? '', { before: 2, limit: 9 })).map(({ runId }) => runId),
      ['r1'],
    );
    t.deepEqual((await store.troubledCases('shop', 2, 9)).map(({ name }) => name).toSorted(), ['x', 'y']);
    t.deepEqual(await store.troubledCases('bank', 0, 9), []);
    t.deepEqual(await store.knownCase(x?.caseId ?? ''), x);
  });
}
