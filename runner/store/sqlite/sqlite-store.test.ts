import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { artifact, attempt, batches, firstLease, newRun, owner, started, testCase } from '../contract-data.ts';
import { storeContract } from '../store-contract.ts';
import { openSqliteStore } from './sqlite-store.ts';

storeContract(async (t) => {
  const file = await newFile(t);
  const dead = new Set<string>();
  return {
    open: () => openSqliteStore({ file, clock: () => 1_000, isAlive: ({ id }) => !dead.has(id) }),
    kill: (ownerId) => Promise.resolve(void dead.add(ownerId)),
    execute: (sql) => {
      change(file, sql);
      return Promise.resolve();
    },
  };
});

async function newFile(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-store-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return join(folder, 'data', 'sluice.db');
}

async function open(t: ExecutionContext, file: string) {
  const store = await openSqliteStore({ file, clock: () => 1, isAlive: () => true });
  t.teardown(() => store.close());
  return store;
}

/** Changes the database behind the store's back. */
function change(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

test('a damaged event is reported with its run and version', async (t) => {
  const file = await newFile(t);
  const store = await open(t, file);
  const lease = await store.createRun(newRun('r1'), owner('a'));
  await store.append(lease, 1, [started('unit'), started('lint')]);
  const damages = [
    `'{"type":"attempt-started"'`,
    `'{"type":"attempt-exploded","at":3}'`,
    `'{"type":"attempt-started","at":3,"step":"unit"}'`,
    `'{"type":"attempt-placed","at":3,"step":"unit","attempt":1,"place":null}'`,
    `'null'`,
    `'[]'`,
  ];
  for (const body of damages) {
    change(file, `UPDATE events SET body = ${body} WHERE version = 2`);
    await t.throwsAsync(store.events('r1'), { code: 'ERR_CORRUPT', message: /^Event 2 of run r1 is damaged: / }, body);
    t.deepEqual(await store.events('r1', 2), [{ ...started('lint'), version: 3 }]);
  }
});

test('a missing event is reported, at the end of a run too', async (t) => {
  const file = await newFile(t);
  const store = await open(t, file);
  const lease = await store.createRun(newRun('r1'), owner('a'));
  await store.append(lease, 1, [started('unit'), started('lint')]);
  for (const version of [3, 2, 1]) {
    change(file, `DELETE FROM events WHERE version = ${version}`);
    await t.throwsAsync(store.events('r1'), {
      code: 'ERR_CORRUPT',
      message: `Event ${version} of run r1 is damaged: it is missing.`,
    });
  }
});

test('damaged results are reported with their attempt', async (t) => {
  const file = await newFile(t);
  const store = await open(t, file);
  await store.createRun(newRun('r1'), owner('a'));
  await store.saveTests(firstLease('r1'), attempt('r1'), batches([testCase('a')]));
  await store.saveArtifacts(firstLease('r1'), attempt('r1'), [artifact('a.txt')]);
  for (const list of ['[{}]', '[', '{}']) {
    change(file, `UPDATE test_chunks SET cases = '${list}'; UPDATE attempt_artifacts SET entries = '${list}'`);
    const message = /attempt 1 of unit in run r1 cannot be read/;
    await t.throwsAsync(Array.fromAsync(store.tests(attempt('r1'))), { code: 'ERR_CORRUPT', message });
    await t.throwsAsync(store.artifacts(attempt('r1')), { code: 'ERR_CORRUPT', message });
  }
});

test('a database of a newer Sluice is refused and left as it is', async (t) => {
  const file = await newFile(t);
  await (await open(t, file)).close();
  change(file, 'UPDATE schema_version SET version = version + 1000');
  await t.throwsAsync(open(t, file), { code: 'ERR_UNSUPPORTED', message: /schema version 1\d{3}/ });
  change(file, 'UPDATE schema_version SET version = version - 1000');
  t.deepEqual(await (await open(t, file)).runs({}), []);
});

test('a file that is no database, or a damaged one, is reported as such', async (t) => {
  const file = await newFile(t);
  const store = await open(t, file);
  for (let run = 0; run < 50; run++) await store.createRun(newRun(`r${run}`), owner('a'));
  await store.close();
  await truncate(file, 20_000);
  await t.throwsAsync(async () => (await open(t, file)).events('r49'), { code: 'ERR_CORRUPT', message: /sluice\.db/ });
  await writeFile(file, 'no database, but a text that is longer than the header of one would be'.repeat(10));
  await t.throwsAsync(open(t, file), { code: 'ERR_CORRUPT', message: /sluice\.db/ });
});

test('a path where no database can be is reported as unreadable', async (t) => {
  const file = await newFile(t);
  await open(t, file);
  await t.throwsAsync(open(t, join(file, '..')), { code: 'ERR_UNREADABLE', message: /data cannot be opened/ });
  await t.throwsAsync(open(t, join(file, 'sluice.db')), { code: 'ERR_UNREADABLE', message: /cannot be made/ });
});

test('a write waits for another process that is writing, and lets this one do other work meanwhile', async (t) => {
  const file = await newFile(t);
  const store = await open(t, file);
  const lease = await store.createRun(newRun('r1'), owner('a'));
  const other = new DatabaseSync(file);
  t.teardown(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  let done = false;
  const writing = store.append(lease, 1, [started('unit')]).then(() => (done = true));
  for (let count = 0; count < 10; count++) await new Promise((wake) => setTimeout(wake, 5));
  t.is((await store.events('r1')).length, 1);
  t.false(done);
  other.exec('COMMIT');
  await writing;
  t.is((await store.events('r1')).length, 2);
});

test('a run that ends takes along the test cases whose saving was never finished', async (t) => {
  const file = await newFile(t);
  const store = await open(t, file);
  const lease = await store.createRun(newRun('r1'), owner('a'));
  await store.saveTests(firstLease('r1'), attempt('r1'), batches([testCase('whole')]));
  async function* broken() {
    yield await Promise.resolve([testCase('partial', 2_000_000)]);
    throw new Error('broken');
  }
  await t.throwsAsync(store.saveTests(firstLease('r1'), { ...attempt('r1'), attempt: 2 }, broken()), {
    message: 'broken',
  });
  await store.append(lease, 1, [{ type: 'run-finished', at: 2, verdict: { outcome: 'succeeded' } }]);
  const database = new DatabaseSync(file);
  t.teardown(() => database.close());
  t.is(database.prepare('SELECT * FROM test_chunks').all().length, 1);
  t.is(database.prepare('SELECT * FROM test_saves').all().length, 1);
});
