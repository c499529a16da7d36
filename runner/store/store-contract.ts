import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { RunEvent } from '../model/run-event.ts';
import {
  artifact,
  attempt,
  batches,
  cancelled,
  finished,
  firstLease,
  newRun,
  owner,
  settled,
  started,
  testCase,
} from './contract-data.ts';
import { setUpOn } from './contract-fixture.ts';
import type { NewDatabase, SetUp } from './contract-fixture.ts';
import { intakeContract } from './intake-contract.ts';
import { serverRecordsContract } from './server-records-contract.ts';
import { outboxContract } from './outbox-contract.ts';
import type { RunRow, Store } from './store.ts';
import { watchContract } from './watch-contract.ts';

/** What every Store owes its users. `newDatabase` makes an empty database for one test and removes it afterwards. */
export function storeContract(newDatabase: NewDatabase): void {
  const setUp = setUpOn(newDatabase);
  events(setUp);
  lists(setUp);
  leases(setUp);
  groups(setUp);
  results(setUp);
  life(setUp);
  intakeContract(setUp);
  serverRecordsContract(setUp);
  outboxContract(setUp);
  watchContract(setUp);
}

function events(setUp: SetUp): void {
  test('a new run has its first event, and its row says what it was made from', async (t) => {
    const { store } = await setUp(t);
    const run = newRun('r1', { createdAt: 5 });
    await store.createRun(run, owner('a'));
    t.deepEqual(await store.events('r1'), [{ ...run.event, version: 1 }]);
    t.deepEqual(await store.run('r1'), { ...run.row, phase: 'created', version: 1 });
  });

  test('an id is taken once', async (t) => {
    const { store } = await setUp(t);
    await store.createRun(newRun('r1'), owner('a'));
    await t.throwsAsync(store.createRun(newRun('r1'), owner('b')), { code: 'ERR_CONFLICT' });
    t.is((await store.events('r1')).length, 1);
  });

  test('appended events come back in order, the same for every reader', async (t) => {
    const { store, connect } = await setUp(t);
    const lease = await store.createRun(newRun('r1'), owner('a'));
    t.is(await store.append(lease, 1, [{ type: 'run-started', at: 2 }, started('unit'), started('lint')]), 4);
    const expected = [
      { type: 'run-started' as const, at: 2, version: 2 },
      { ...started('unit'), version: 3 },
      { ...started('lint'), version: 4 },
    ];
    t.deepEqual(await store.events('r1', 1), expected);
    t.deepEqual(await (await connect()).events('r1', 1), expected);
    t.deepEqual(await store.events('r1', 4), []);
  });

  test('text of any kind survives the way through the database', async (t) => {
    const { store } = await setUp(t);
    const lease = await store.createRun(newRun('r1'), owner('a'));
    const place = {
      text: 'NUL \0, quote \' ", line\n, emoji 🚦, half of one \ud83d',
      nested: [null, 1.5, { a: true }],
    };
    await store.append(lease, 1, [{ type: 'attempt-placed', at: 2, step: 'unit', attempt: 1, place }]);
    const [event] = await store.events('r1', 1);
    t.deepEqual(event?.type === 'attempt-placed' && event.place, place);
  });

  test('appending behind another version than the run has is a conflict that changes nothing', async (t) => {
    const { store } = await setUp(t);
    const lease = await store.createRun(newRun('r1'), owner('a'));
    const changes = await store.changes();
    await t.throwsAsync(store.append(lease, 0, [started('unit')]), {
      code: 'ERR_CONFLICT',
      message: /version 1, not at 0/,
    });
    await t.throwsAsync(store.append(lease, 2, [started('unit')]), { code: 'ERR_CONFLICT' });
    t.is((await store.events('r1')).length, 1);
    t.is((await store.run('r1'))?.version, 1);
    t.is(await store.changes(), changes);
  });

  test('of two that append behind the same version exactly one wins', async (t) => {
    const { store, connect } = await setUp(t);
    const lease = await store.createRun(newRun('r1'), owner('a'));
    const other = await connect();
    const tries = await Promise.allSettled([
      store.append(lease, 1, [started('unit')]),
      other.append(lease, 1, [started('lint')]),
    ]);
    t.is(tries.filter(({ status }) => status === 'fulfilled').length, 1);
    t.like(
      tries.find(({ status }) => status === 'rejected'),
      { reason: { code: 'ERR_CONFLICT' } },
    );
    t.is((await store.events('r1')).length, 2);
  });

  test('the row of a run follows its events', async (t) => {
    const { store } = await setUp(t);
    const lease = await store.createRun(newRun('r1', { group: 'deploy' }), owner('a'));
    await store.append(lease, 1, [{ type: 'run-waiting', at: 2, group: 'deploy', holder: 'r0' }]);
    t.is((await store.run('r1'))?.phase, 'waiting');
    await store.append(lease, 2, [{ type: 'run-started', at: 3 }, started('unit')]);
    t.is((await store.run('r1'))?.phase, 'running');
    await store.append(lease, 4, [finished({ outcome: 'failed', reason: 'step_failed' })]);
    const { row } = newRun('r1', { group: 'deploy' });
    t.deepEqual(await store.run('r1'), {
      ...row,
      phase: 'finished',
      outcome: 'failed',
      reason: 'step_failed',
      finishedAt: 9,
      version: 5,
    });
  });

  test('a wish from another process arrives while the owner appends', async (t) => {
    const { store, connect } = await setUp(t);
    const other = await connect();
    const lease = await store.createRun(newRun('r1'), owner('a'));
    const drive = async () => {
      let version = 1;
      for (let step = 0; step < 50; step++)
        version = await appendBehindWishes(store, lease, version, started(`s${step}`));
    };
    const wish = async () => {
      for (let count = 0; count < 20; count++) await other.request('r1', cancelled(count));
    };
    await Promise.all([drive(), wish()]);
    const stored = await store.events('r1');
    t.deepEqual(
      stored.map(({ version }) => version),
      Array.from({ length: 71 }, (_, index) => index + 1),
    );
    t.deepEqual(
      stored.flatMap((event) => (event.type === 'cancel-requested' ? [event.at] : [])),
      [...Array(20).keys()],
    );
    t.is(stored.filter(({ type }) => type === 'attempt-started').length, 50);
  });

  test('a change by any connection changes the number of changes, and nothing else does', async (t) => {
    const { store, connect } = await setUp(t);
    const other = await connect();
    const before = await other.changes();
    const lease = await store.createRun(newRun('r1'), owner('a'));
    await until(async () => (await other.changes()) > before);
    const numbers = async () => [await store.changes(), await other.changes()];
    // Tried until it holds: what was done before may be heard of late, and every few seconds count as a change where changes are announced.
    await until(async () => {
      const heard = await numbers();
      await other.events('r1');
      await store.runs({});
      return String(await numbers()) === String(heard);
    });
    const [own = 0, foreign = 0] = await numbers();
    await store.append(lease, 1, [started('unit')]);
    t.true((await store.changes()) > own);
    await until(async () => (await other.changes()) > foreign);
  });

  test('unknown runs are told apart from empty answers', async (t) => {
    const { store } = await setUp(t);
    const notFound = { code: 'ERR_NOT_FOUND', message: /"nope"/ };
    await t.throwsAsync(store.events('nope'), notFound);
    await t.throwsAsync(store.append({ runId: 'nope', fence: 1 }, 1, [started('unit')]), notFound);
    await t.throwsAsync(store.request('nope', cancelled(1)), notFound);
    await t.throwsAsync(store.claim('nope', owner('a')), notFound);
    await t.throwsAsync(store.resolve('nope'), notFound);
    await t.throwsAsync(store.runs({ after: 'nope' }), notFound);
    await t.throwsAsync(store.acquire(firstLease('nope'), 'deploy', 'nope/step'), notFound);
    await t.throwsAsync(store.saveTests(firstLease('nope'), attempt('nope'), batches([testCase('a')])), notFound);
    await t.throwsAsync(store.saveArtifacts(firstLease('nope'), attempt('nope'), []), notFound);
    t.is(await store.run('nope'), undefined);
    t.deepEqual(await store.artifacts(attempt('nope')), []);
    t.deepEqual(await Array.fromAsync(store.tests(attempt('nope'))), []);
  });

  test('a run of 1,000 steps is stored and read back whole', async (t) => {
    const { store } = await setUp(t);
    const lease = await store.createRun(newRun('r1'), owner('a'));
    const steps = Array.from({ length: 1_000 }, (_, index) => `step-${index}`);
    await store.append(lease, 1, steps.map(started));
    await store.append(lease, 1_001, steps.map(settled));
    const stored = await store.events('r1');
    t.is(stored.length, 2_001);
    t.deepEqual(
      stored.slice(1_001),
      steps.map((step, index) => ({ ...settled(step), version: 1_002 + index })),
    );
  });
}

function lists(setUp: SetUp): void {
  const ids = async (store: Store, filter: Parameters<Store['runs']>[0]) =>
    (await store.runs(filter)).map(({ runId }) => runId);

  test('runs are listed newest first, in pages that neither repeat nor miss one', async (t) => {
    const { store } = await setUp(t);
    // Three were made within the same millisecond.
    const times = { b: 1, a: 2, d: 2, c: 2, e: 3 };
    for (const [runId, createdAt] of Object.entries(times))
      await store.createRun(newRun(runId, { createdAt }), owner('o'));
    t.deepEqual(await ids(store, {}), ['e', 'd', 'c', 'a', 'b']);
    t.deepEqual(await ids(store, { limit: 2 }), ['e', 'd']);
    t.deepEqual(await ids(store, { limit: 2, after: 'd' }), ['c', 'a']);
    t.deepEqual(await ids(store, { limit: 2, after: 'a' }), ['b']);
    t.deepEqual(await ids(store, { after: 'b' }), []);
  });

  test('runs are filtered by every field of the filter, and by all of them together', async (t) => {
    const { store } = await setUp(t);
    await store.createRun(newRun('r1', { repository: 'shop', branch: 'main', group: 'deploy' }), owner('a'));
    await store.createRun(newRun('r2', { repository: 'shop', branch: 'next' }), owner('a'));
    const lease = await store.createRun(newRun('r3', { repository: 'blog', branch: 'main' }), owner('a'));
    await store.append(lease, 1, [{ type: 'run-started', at: 2 }, finished({ outcome: 'succeeded' })]);
    t.deepEqual(await ids(store, { repository: 'shop' }), ['r2', 'r1']);
    t.deepEqual(await ids(store, { branch: 'main' }), ['r3', 'r1']);
    t.deepEqual(await ids(store, { group: 'deploy' }), ['r1']);
    t.deepEqual(await ids(store, { phase: 'created' }), ['r2', 'r1']);
    t.deepEqual(await ids(store, { repositories: [] }), []);
    t.deepEqual(await ids(store, { outcome: 'succeeded' }), ['r3']);
    t.deepEqual(await ids(store, { repository: 'shop', branch: 'main', after: 'r2', limit: 5 }), ['r1']);
    t.deepEqual(await ids(store, { repository: 'shop', outcome: 'succeeded' }), []);
  });

  test('an id is found by a prefix that only it has, or by `latest`', async (t) => {
    const { store } = await setUp(t);
    await t.throwsAsync(store.resolve('latest'), { code: 'ERR_NOT_FOUND', message: /no run yet/ });
    for (const runId of ['abc', 'abcdef', 'abx', 'b%']) await store.createRun(newRun(runId), owner('a'));
    t.is(await store.resolve('abcd'), 'abcdef');
    t.is(await store.resolve('abc'), 'abc');
    t.is(await store.resolve('b'), 'b%');
    t.is(await store.resolve('latest'), 'b%');
    await t.throwsAsync(store.resolve('ab'), { code: 'ERR_USAGE', message: /abc, abcdef, abx/ });
    await t.throwsAsync(store.resolve('AB'), { code: 'ERR_NOT_FOUND' });
    await t.throwsAsync(store.resolve('%'), { code: 'ERR_NOT_FOUND' });
    await t.throwsAsync(store.resolve(''), { code: 'ERR_NOT_FOUND' });
  });
}

function leases(setUp: SetUp): void {
  test('a run is taken over only from a dead owner, and then by one only', async (t) => {
    const { store, connect, kill } = await setUp(t);
    await store.createRun(newRun('r1'), owner('a'));
    t.is(await store.claim('r1', owner('b')), undefined);
    await kill('a');
    const other = await connect();
    const claims = await Promise.all([store.claim('r1', owner('b')), other.claim('r1', owner('c'))]);
    t.is(claims.filter((lease) => lease !== undefined).length, 1);
  });

  test('an older lease is refused once a newer one was given', async (t) => {
    const { store, kill } = await setUp(t);
    const old = await store.createRun(newRun('r1'), owner('a'));
    await kill('a');
    const lease = await store.claim('r1', owner('b'));
    t.truthy(lease);
    await t.throwsAsync(store.append(old, 1, [started('late')]), { code: 'ERR_CONFLICT', message: /taken over/ });
    t.is(lease && (await store.append(lease, 1, [started('unit')])), 2);
    t.is((await store.events('r1')).length, 2);
  });

  test('an owner may take its own run again, which ends its older lease', async (t) => {
    const { store } = await setUp(t);
    const old = await store.createRun(newRun('r1'), owner('a'));
    const lease = await store.claim('r1', owner('a'));
    t.truthy(lease);
    await t.throwsAsync(store.append(old, 1, [started('late')]), { code: 'ERR_CONFLICT' });
    t.is(lease && (await store.append(lease, 1, [started('unit')])), 2);
  });

  test('an older lease changes neither results nor groups', async (t) => {
    const { store, kill } = await setUp(t);
    const old = await store.createRun(newRun('r1'), owner('a'));
    await store.createRun(newRun('r2'), owner('b'));
    await store.acquire(old, 'deploy', 'r1');
    await kill('a');
    const lease = (await store.claim('r1', owner('b'))) ?? t.fail('not claimed');
    await store.saveArtifacts(lease, attempt('r1'), [artifact('right.txt')]);
    await store.saveTests(lease, attempt('r1'), batches([testCase('right')]));
    const refused = { code: 'ERR_CONFLICT', message: /taken over/ };
    await t.throwsAsync(store.saveArtifacts(old, attempt('r1'), [artifact('late.txt')]), refused);
    await t.throwsAsync(store.saveTests(old, attempt('r1'), batches([testCase('late')])), refused);
    await t.throwsAsync(store.acquire(old, 'late', 'r1'), refused);
    await t.throwsAsync(store.release(old, 'deploy', 'r1'), refused);
    t.deepEqual(await store.artifacts(attempt('r1')), [artifact('right.txt')]);
    t.deepEqual(await Array.fromAsync(store.tests(attempt('r1'))), [testCase('right')]);
    t.is(await store.acquire(firstLease('r2'), 'deploy', 'r2'), 'r1');
    t.is(await store.acquire(firstLease('r2'), 'late', 'r2'), 'r2');
  });

  test('a run that is taken over while its cases are saved keeps those of the new owner', async (t) => {
    const { store, connect, kill } = await setUp(t);
    const old = await store.createRun(newRun('r1'), owner('a'));
    const other = await connect();
    async function* overtaken() {
      yield [testCase('slow', 2_000_000)];
      await kill('a');
      const lease = (await other.claim('r1', owner('b'))) ?? t.fail('not claimed');
      await other.saveTests(lease, attempt('r1'), batches([testCase('right')]));
      yield [testCase('late', 2_000_000)];
    }
    await t.throwsAsync(store.saveTests(old, attempt('r1'), overtaken()), { code: 'ERR_CONFLICT' });
    t.deepEqual(await Array.fromAsync(store.tests(attempt('r1'))), [testCase('right')]);
  });

  test('abandoned are the unfinished runs of dead owners', async (t) => {
    const { store, kill } = await setUp(t);
    await store.createRun(newRun('lost'), owner('a'));
    const lease = await store.createRun(newRun('done'), owner('a'));
    await store.append(lease, 1, [finished({ outcome: 'succeeded' })]);
    await store.createRun(newRun('alive'), owner('b'));
    t.deepEqual(await store.abandoned(), []);
    await kill('a');
    t.deepEqual(await store.abandoned(), [await rowOf(store, 'lost')]);
    await store.claim('lost', owner('b'));
    t.deepEqual(await store.abandoned(), []);
  });
}

function groups(setUp: SetUp): void {
  test('a group has one holder at a time, whoever asks and from wherever', async (t) => {
    const { store, connect } = await setUp(t);
    const other = await connect();
    for (const runId of ['r1', 'r2']) await store.createRun(newRun(runId), owner('a'));
    t.is(await store.acquire(firstLease('r1'), 'deploy', 'r1'), 'r1');
    t.is(await other.acquire(firstLease('r2'), 'deploy', 'r2/load/k6'), 'r1');
    t.is(await other.acquire(firstLease('r2'), 'docs', 'r2/load/k6'), 'r2/load/k6');
    t.is(await store.acquire(firstLease('r1'), 'deploy', 'r1'), 'r1');
  });

  test('of many that ask for a free group at once one gets it, and all are told which', async (t) => {
    const { store, connect } = await setUp(t);
    const other = await connect();
    const runIds = Array.from({ length: 10 }, (_, index) => `r${index}`);
    for (const runId of runIds) await store.createRun(newRun(runId), owner('a'));
    const answers = await Promise.all(
      runIds.map((id, index) => (index % 2 ? store : other).acquire(firstLease(id), 'deploy', id)),
    );
    t.is(new Set(answers).size, 1);
    t.true(runIds.includes(answers[0] ?? ''));
  });

  test('a group is released by its holder only', async (t) => {
    const { store } = await setUp(t);
    for (const runId of ['r1', 'r2']) await store.createRun(newRun(runId), owner('a'));
    await store.acquire(firstLease('r1'), 'deploy', 'r1');
    await store.release(firstLease('r2'), 'deploy', 'r2');
    t.is(await store.acquire(firstLease('r2'), 'deploy', 'r2'), 'r1');
    await store.release(firstLease('r1'), 'deploy', 'r1');
    await store.release(firstLease('r1'), 'deploy', 'r1');
    t.is(await store.acquire(firstLease('r2'), 'deploy', 'r2'), 'r2');
  });

  test('the end of a run frees the groups of the run and of its steps, and no others', async (t) => {
    const { store } = await setUp(t);
    const lease = await store.createRun(newRun('r1'), owner('a'));
    for (const runId of ['r1-b', 'r2']) await store.createRun(newRun(runId), owner('a'));
    await store.acquire(firstLease('r1'), 'deploy', 'r1');
    await store.acquire(firstLease('r1'), 'load', 'r1/load/k6');
    await store.acquire(firstLease('r1-b'), 'docs', 'r1-b');
    await store.append(lease, 1, [finished({ outcome: 'succeeded' })]);
    t.is(await store.acquire(firstLease('r2'), 'deploy', 'r2'), 'r2');
    t.is(await store.acquire(firstLease('r2'), 'load', 'r2'), 'r2');
    t.is(await store.acquire(firstLease('r2'), 'docs', 'r2'), 'r1-b');
    await t.throwsAsync(store.acquire(firstLease('r1'), 'late', 'r1'), { code: 'ERR_CONFLICT', message: /has ended/ });
  });

  test('the group of a holder that died is held until somebody has ended its run', async (t) => {
    const { store, kill } = await setUp(t);
    for (const runId of ['r1', 'r2']) await store.createRun(newRun(runId), owner(runId));
    await store.acquire(firstLease('r1'), 'deploy', 'r1');
    await kill('r1');
    t.is(await store.acquire(firstLease('r2'), 'deploy', 'r2'), 'r1');
    const lease = await store.claim('r1', owner('r2'));
    await store.append(lease ?? t.fail('not claimed'), 1, [finished({ outcome: 'errored', reason: 'runner_lost' })]);
    t.is(await store.acquire(firstLease('r2'), 'deploy', 'r2'), 'r2');
  });
}

function results(setUp: SetUp): void {
  test('test cases come back whole and in order; saving again replaces them', async (t) => {
    const { store } = await setUp(t);
    await store.createRun(newRun('r1'), owner('a'));
    const cases = [testCase('a'), testCase('b'), testCase('c')];
    await store.saveTests(firstLease('r1'), attempt('r1'), batches(cases.slice(0, 2), [], cases.slice(2)));
    t.deepEqual(await Array.fromAsync(store.tests(attempt('r1'))), cases);
    await store.saveTests(firstLease('r1'), attempt('r1'), batches([testCase('again')]));
    t.deepEqual(await Array.fromAsync(store.tests(attempt('r1'))), [testCase('again')]);
    t.deepEqual(await Array.fromAsync(store.tests({ ...attempt('r1'), attempt: 2 })), []);
    await store.saveTests(firstLease('r1'), attempt('r1'), batches());
    t.deepEqual(await Array.fromAsync(store.tests(attempt('r1'))), []);
  });

  test('20,000 test cases with long output come back whole and in order', async (t) => {
    const { store } = await setUp(t);
    await store.createRun(newRun('r1'), owner('a'));
    const batchOf = (from: number) => Array.from({ length: 500 }, (_, index) => testCase(`case ${from + index}`, 200));
    async function* many() {
      for (let from = 0; from < 20_000; from += 500) yield await Promise.resolve(batchOf(from));
    }
    await store.saveTests(firstLease('r1'), attempt('r1'), many());
    let count = 0;
    for await (const found of store.tests(attempt('r1'))) {
      if (found.name !== `case ${count}`) return t.fail(`${found.name} at ${count}`);
      count++;
    }
    t.is(count, 20_000);
  });

  test('a save that fails in the middle leaves the cases that were there', async (t) => {
    const { store } = await setUp(t);
    await store.createRun(newRun('r1'), owner('a'));
    await store.saveTests(firstLease('r1'), attempt('r1'), batches([testCase('old')]));
    async function* broken() {
      yield await Promise.resolve([testCase('new', 2_000_000)]);
      throw new Error('report ends early');
    }
    await t.throwsAsync(store.saveTests(firstLease('r1'), attempt('r1'), broken()), { message: 'report ends early' });
    t.deepEqual(await Array.fromAsync(store.tests(attempt('r1'))), [testCase('old')]);
  });

  test('a reader whose cases are replaced is told so instead of getting a mix', async (t) => {
    const { store, connect } = await setUp(t);
    await store.createRun(newRun('r1'), owner('a'));
    await store.saveTests(
      firstLease('r1'),
      attempt('r1'),
      batches([testCase('a', 2_000_000)], [testCase('b', 2_000_000)]),
    );
    const reader = (await connect()).tests(attempt('r1'))[Symbol.asyncIterator]();
    t.like(await reader.next(), { done: false, value: testCase('a', 2_000_000) });
    await store.saveTests(firstLease('r1'), attempt('r1'), batches([testCase('c')]));
    await t.throwsAsync(reader.next(), { code: 'ERR_CONFLICT' });
  });

  test('of two that save the cases of one attempt at once the first to end wins, and the other is told', async (t) => {
    const { store, connect } = await setUp(t);
    await store.createRun(newRun('r1'), owner('a'));
    const other = await connect();
    async function* overtaken() {
      yield [testCase('slow', 2_000_000)];
      await other.saveTests(firstLease('r1'), attempt('r1'), batches([testCase('fast')]));
      yield [testCase('late')];
    }
    await t.throwsAsync(store.saveTests(firstLease('r1'), attempt('r1'), overtaken()), {
      code: 'ERR_CONFLICT',
      message: /replaced/,
    });
    t.deepEqual(await Array.fromAsync(store.tests(attempt('r1'))), [testCase('fast')]);
  });

  test('artefacts are kept by attempt; saving again replaces them', async (t) => {
    const { store } = await setUp(t);
    await store.createRun(newRun('r1'), owner('a'));
    await store.saveArtifacts(firstLease('r1'), attempt('r1'), [artifact('a.txt'), artifact('b/ü.bin')]);
    await store.saveArtifacts(firstLease('r1'), { ...attempt('r1'), attempt: 2 }, [artifact('second.txt')]);
    t.deepEqual(await store.artifacts(attempt('r1')), [artifact('a.txt'), artifact('b/ü.bin')]);
    await store.saveArtifacts(firstLease('r1'), attempt('r1'), [artifact('c.txt')]);
    t.deepEqual(await store.artifacts(attempt('r1')), [artifact('c.txt')]);
    t.deepEqual(await store.artifacts({ ...attempt('r1'), attempt: 2 }), [artifact('second.txt')]);
  });

  test('the first cache under a key stays, in each scope of its own', async (t) => {
    const { store, connect } = await setUp(t);
    t.is(await store.cache('shop', 'npm-1'), undefined);
    await store.saveCache('shop', 'npm-1', 'blob-1');
    await (await connect()).saveCache('shop', 'npm-1', 'blob-2');
    await store.saveCache('blog', 'npm-1', 'blob-3');
    t.is(await store.cache('shop', 'npm-1'), 'blob-1');
    t.is(await store.cache('blog', 'npm-1'), 'blob-3');
    t.is(await store.cache('shop', 'npm'), undefined);
  });
}

function life(setUp: SetUp): void {
  test('everything is there after closing and opening again; closing twice is harmless', async (t) => {
    const { store, connect } = await setUp(t);
    const lease = await store.createRun(newRun('r1'), owner('a'));
    await store.append(lease, 1, [started('unit')]);
    await store.close();
    await store.close();
    await t.throwsAsync(store.run('r1'));
    const again = await connect();
    t.is((await again.events('r1')).length, 2);
    t.is(await again.append(lease, 2, [started('lint')]), 3);
  });
}

/** What an engine does when somebody's wish came first: read again, then append behind it. */
async function appendBehindWishes(
  store: Store,
  lease: Awaited<ReturnType<Store['createRun']>>,
  version: number,
  event: RunEvent,
): Promise<number> {
  for (let known = version; ; known += (await store.events(lease.runId, known)).length) {
    try {
      return await store.append(lease, known, [event]);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ERR_CONFLICT')) throw error;
    }
  }
}

async function rowOf(store: Store, runId: string): Promise<RunRow> {
  const row = await store.run(runId);
  if (!row) throw new Error(`no run ${runId}`);
  return row;
}

/** A number of changes may need a moment to grow. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(2);
}
