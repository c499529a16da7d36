import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { sql } from 'kysely';
import { openSqliteDatabase } from './sqlite-database.ts';
import { isBusy, toStoreError } from './sqlite-error.ts';

async function newFile(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-sqlite-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return join(folder, 'sluice.db');
}

/** The error that SQLite itself answers. */
function failure(t: ExecutionContext, work: () => void): unknown {
  return t.throws(work, { code: 'ERR_SQLITE_ERROR' });
}

test('a commit is on disk before it returns, and references are kept', async (t) => {
  const database = await openSqliteDatabase(await newFile(t));
  t.teardown(() => database.close());
  const settings = { journal_mode: 'wal', synchronous: 2, fullfsync: 1, checkpoint_fullfsync: 1, foreign_keys: 1 };
  for (const [name, value] of Object.entries(settings)) {
    const { rows } = await database.read((db) => sql<Record<string, unknown>>`PRAGMA ${sql.raw(name)}`.execute(db));
    t.deepEqual(
      rows.map((row) => ({ ...row })),
      [{ [name]: value }],
    );
  }
});

test('a transaction that fails leaves nothing behind, and the next one works', async (t) => {
  const database = await openSqliteDatabase(await newFile(t));
  t.teardown(() => database.close());
  await database.write((db) => sql`CREATE TABLE things (name TEXT)`.execute(db));
  const failing = database.write(async (db) => {
    await sql`INSERT INTO things VALUES ('a')`.execute(db);
    throw new RangeError('our own');
  });
  await t.throwsAsync(failing, { instanceOf: RangeError });
  await database.write((db) => sql`INSERT INTO things VALUES ('b')`.execute(db));
  const { rows } = await database.read((db) => sql<{ name: string }>`SELECT name FROM things`.execute(db));
  t.deepEqual(
    rows.map(({ name }) => name),
    ['b'],
  );
});

test('transactions of one process follow each other, whatever they wait for', async (t) => {
  const database = await openSqliteDatabase(await newFile(t));
  t.teardown(() => database.close());
  await database.write((db) => sql`CREATE TABLE counter AS SELECT 0 AS count`.execute(db));
  const increment = () =>
    database.write(async (db) => {
      const { rows } = await sql<{ count: number }>`SELECT count FROM counter`.execute(db);
      await new Promise((wake) => setTimeout(wake, 1));
      await sql`UPDATE counter SET count = ${(rows[0]?.count ?? 0) + 1}`.execute(db);
    });
  await Promise.all(Array.from({ length: 20 }, increment));
  const { rows } = await database.read((db) => sql<{ count: number }>`SELECT count FROM counter`.execute(db));
  t.is(rows[0]?.count, 20);
});

test('a full database is reported as a limit, in words', async (t) => {
  const file = await newFile(t);
  const database = new DatabaseSync(file);
  t.teardown(() => database.close());
  database.exec('CREATE TABLE things (text TEXT); PRAGMA max_page_count = 10');
  const error = failure(t, () => database.exec(`INSERT INTO things VALUES ('${'x'.repeat(100_000)}')`));
  t.like(toStoreError(file, error), {
    code: 'ERR_FULL',
    message: `The database ${file} cannot grow: there is no space left.`,
  });
});

test('a lock that stays is reported as one, and only a lock is worth another try', async (t) => {
  const file = await newFile(t);
  const [one, two] = [new DatabaseSync(file), new DatabaseSync(file)];
  t.teardown(() => [one, two].forEach((database) => database.close()));
  one.exec('BEGIN IMMEDIATE');
  const locked = failure(t, () => two.exec('BEGIN IMMEDIATE'));
  t.true(isBusy(locked));
  t.like(toStoreError(file, locked), {
    code: 'ERR_INTERNAL',
    message: `The database ${file} is locked by another process.`,
  });
  const wrong = failure(t, () => two.exec('SELECT missing'));
  t.false(isBusy(wrong));
  t.like(toStoreError(file, wrong), {
    code: 'ERR_INTERNAL',
    message: `The database ${file} failed: no such column: missing.`,
  });
  const own = new RangeError('our own');
  t.is(toStoreError(file, own), own);
});
