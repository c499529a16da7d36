import test from 'ava';
import pg from 'pg';
import { startPostgres } from '../store/postgres/postgres-server-fixture.ts';
import type { PostgresServer } from '../store/postgres/postgres-server-fixture.ts';
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
