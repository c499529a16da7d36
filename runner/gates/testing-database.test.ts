import test from 'ava';
import pg from 'pg';
import { startPostgres } from '../store/postgres/postgres-server-fixture.ts';
import type { PostgresServer } from '../store/postgres/postgres-server-fixture.ts';
import { ensureRoles } from '../environments/database-roles.ts';
import type { DatabaseUrls } from '../environments/database-roles.ts';
import { databaseOf, withDatabase } from '../migrations/database/connection.ts';
import { freshDatabase, keepDatabase } from './testing-database.ts';

let server: PostgresServer;
test.before(async () => {
  server = await startPostgres();
});
test.after.always(() => server.remove());

const signal = AbortSignal.timeout(120_000);

async function query(url: string, text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

const tablesOf = async (url: string) =>
  (await query(url, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")).map(
    ({ name }) => name,
  );

test('a testing database begins as the release that production has left it, whatever was done to it since', async (t) => {
  const url = await server.database();
  const urls = { admin: url, migrator: url, app: url };
  t.is(await freshDatabase(urls, undefined, signal), 'empty');
  await query(url, 'CREATE TABLE orders (id int); INSERT INTO orders VALUES (7)');
  await keepDatabase(urls, 'r1', [], signal);
  await query(url, 'DROP TABLE orders; CREATE TABLE half_done (id int)');
  t.is(await freshDatabase(urls, 'r1', signal), 'copied');
  t.deepEqual(await tablesOf(url), ['orders']);
  t.deepEqual(await query(url, 'SELECT id FROM orders'), [{ id: 7 }]);
  t.is(await freshDatabase(urls, 'r9', signal), 'empty');
  t.deepEqual(await tablesOf(url), []);
});

test('copies of releases that nobody goes back to are forgotten, those of another backend are not', async (t) => {
  const [one, two] = [await server.database(), await server.database()];
  const urls = { admin: one, migrator: one, app: one };
  await keepDatabase({ admin: two, migrator: two, app: two }, 'r1', [], signal);
  for (const release of ['r1', 'r2', 'r3'])
    await keepDatabase(urls, release, release === 'r3' ? ['r1'] : ['r1', 'r2'], signal);
  t.is(await freshDatabase(urls, 'r2', signal), 'empty');
  for (const kept of ['r1', 'r3']) t.is(await freshDatabase(urls, kept, signal), 'copied');
  t.is(await freshDatabase({ admin: two, migrator: two, app: two }, 'r1', signal), 'copied');
});

test('somebody who uses the database meanwhile does not keep it from being copied', async (t) => {
  const url = await server.database();
  const urls = { admin: url, migrator: url, app: url };
  const client = new pg.Client(url);
  const lost = new Promise((resolve) => client.on('error', resolve));
  await client.connect();
  await keepDatabase(urls, 'r1', [], signal);
  await lost;
  t.is(await freshDatabase(urls, 'r1', signal), 'copied');
});

test('a database of that name with tables that Sluice did not make is not dropped; one that a killed process left is', async (t) => {
  const theirs = await server.database();
  await query(theirs, 'CREATE TABLE customers (id int)');
  await t.throwsAsync(freshDatabase(urlsFor(theirs), undefined, signal), {
    code: 'ERR_CONFLICT',
    message: /^the database "t\w+" at 127\.0\.0\.1:\d+ has tables that Sluice did not make there$/,
  });
  t.deepEqual(await tablesOf(theirs), ['customers']);

  const left = await server.database();
  const urls = urlsFor(left);
  t.is(await freshDatabase(urls, undefined, signal), 'empty');
  await ensureRoles(urls, limits, signal);
  await query(urls.migrator, 'DROP SCHEMA public CASCADE; CREATE SCHEMA shop; CREATE TABLE shop.orders (id int)');
  await keepDatabase(urls, 'r1', [], signal);
  for (const live of ['r1', undefined, 'r1', 'r1']) await freshDatabase(urls, live, signal);
  t.is((await query(left, 'SELECT FROM shop.orders')).length, 0);
});

/** A database with roles of its own. */
function urlsFor(admin: string): DatabaseUrls {
  const name = databaseOf(admin);
  const as = (role: string): string => {
    const url = new URL(admin);
    [url.username, url.password] = [`${name}_${role}`, `secret of ${role}`];
    return url.href;
  };
  return { admin, migrator: as('migrator'), app: as('app') };
}

const limits = { lockTimeoutMs: 3_000 };

test('R003-7: a preview begins with what production has, as a database of its own whose roles get into no other', async (t) => {
  const testing = urlsFor(await server.database());
  await freshDatabase(testing, undefined, signal);
  await ensureRoles(testing, limits, signal);
  const things = `CREATE TYPE state AS ENUM ('new'); CREATE TABLE orders (id serial PRIMARY KEY, state state);
    CREATE VIEW open_orders AS SELECT * FROM orders; CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
    INSERT INTO orders (state) VALUES ('new')`;
  await query(testing.migrator, things);
  await keepDatabase(testing, 'r1', [], signal);

  const preview = urlsFor(withDatabase(testing.admin, `${databaseOf(testing.admin)}_preview-a`));
  t.is(await freshDatabase(preview, 'r1', signal, databaseOf(testing.admin)), 'copied');
  await ensureRoles(preview, { ...limits, takesOver: true }, signal);
  await ensureRoles(preview, { ...limits, takesOver: true }, signal);
  const change = `ALTER TABLE orders ADD COLUMN note text; ALTER TYPE state ADD VALUE 'paid'; DROP FUNCTION one();
    ALTER VIEW open_orders RENAME TO pending_orders; CREATE TABLE bills (id int)`;
  await query(preview.migrator, change);
  await query(preview.app, "INSERT INTO orders (state, note) VALUES ('new', 'mine'); INSERT INTO bills VALUES (1)");
  t.deepEqual(await query(preview.app, 'SELECT id, note FROM orders ORDER BY id'), [
    { id: 1, note: null },
    { id: 2, note: 'mine' },
  ]);

  // Nothing of that is in the testing database, whose roles have kept what is theirs.
  t.deepEqual(await query(testing.app, 'SELECT * FROM orders'), [{ id: 1, state: 'new' }]);
  await query(testing.migrator, 'ALTER TABLE orders ADD COLUMN other text');
  for (const [role, into] of [
    [preview.app, testing.admin],
    [preview.migrator, testing.admin],
    [testing.app, preview.admin],
    [testing.migrator, preview.admin],
  ] as const) {
    await t.throwsAsync(query(withDatabase(role, databaseOf(into)), 'SELECT 1'), { message: /permission denied/ });
  }
  t.is(await freshDatabase(preview, undefined, signal, databaseOf(testing.admin)), 'empty');
});
