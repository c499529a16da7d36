import pg from 'pg';
import test from 'ava';
import type { SluiceError } from '../../model/errors.ts';
import { startPostgres } from '../../store/postgres/postgres-server-fixture.ts';
import type { PostgresServer } from '../../store/postgres/postgres-server-fixture.ts';
import { changedTables, diffSchemas } from '../schema/diff-schemas.ts';
import { readSchema } from '../schema/read-schema.ts';
import { readCounters, touchedTables, untouchedTables } from '../schema/touched-tables.ts';
import { withConnection } from './connection.ts';
import { databaseFromTemplate, dropLeftovers } from './databases.ts';

let server: PostgresServer;
test.before(async () => {
  server = await startPostgres();
});
test.after.always(() => server.remove());

const signal = AbortSignal.timeout(600_000);
const nameOf = (url: string) => new URL(url).pathname.slice(1);
const names = async () =>
  (await server.query("SELECT datname FROM pg_database WHERE datname LIKE 'sluice\\_%'")).map(({ datname }) => datname);

async function template(): Promise<string> {
  const url = await server.database();
  await server.query('CREATE TABLE users (id serial PRIMARY KEY, name text); CREATE TABLE teams (id int)', nameOf(url));
  return url;
}

test('a copy of a template has its schema and rows, and those of the seed; dropped twice it is gone', async (t) => {
  const [adminUrl, source] = [await server.database(), await template()];
  await server.query("INSERT INTO users (name) VALUES ('template')", nameOf(source));
  const seed = (url: string) =>
    withConnection({ url, signal }, async (connection) => {
      await connection.query("INSERT INTO users (name) VALUES ('seed')");
    });
  const made = await databaseFromTemplate({ adminUrl, template: nameOf(source), purpose: 'run_7', seed, signal });
  t.regex(made.name, /^sluice_run_7_[0-9a-f]{10}$/);
  t.deepEqual(await server.query('SELECT name FROM users ORDER BY id', made.name), [
    { name: 'template' },
    { name: 'seed' },
  ]);
  t.deepEqual(await server.query('SELECT name FROM users', nameOf(source)), [{ name: 'template' }]);
  const busy = new pg.Client(made.url);
  busy.on('error', () => undefined);
  await busy.connect();
  await made.drop();
  await made.drop();
  t.false((await names()).includes(made.name));
  await busy.end();
});

test('a seed that fails leaves no database', async (t) => {
  const adminUrl = await server.database();
  const seed = () => Promise.reject(new Error('no seed'));
  await t.throwsAsync(databaseFromTemplate({ adminUrl, purpose: 'unseeded', seed, signal }), { message: 'no seed' });
  t.false((await names()).some((name) => String(name).includes('unseeded')));
});

test('a template that stays in use is refused, and its user named', async (t) => {
  const [adminUrl, source] = [await server.database(), await template()];
  const user = new pg.Client({ connectionString: source, application_name: 'editor' });
  await user.connect();
  const wanted = { adminUrl, template: nameOf(source), purpose: 'busy', signal };
  const error = await t.throwsAsync<SluiceError>(databaseFromTemplate({ ...wanted, waitMs: 300 }));
  t.is(error.code, 'ERR_CONFLICT');
  t.regex(error.message, /in use: pid \d+ \(sluice, editor, idle for/);
  const soon = databaseFromTemplate(wanted);
  await user.end();
  await (await soon).drop();
});

test('leftovers go by age, those of a process that died while it made them at once; others stay', async (t) => {
  const adminUrl = await server.database();
  const now = Date.now();
  const young = await databaseFromTemplate({ adminUrl, purpose: 'young', signal });
  const kept = await databaseFromTemplate({ adminUrl, purpose: 'kept', signal });
  await server.query('CREATE DATABASE sluice_half_0123456789');
  await server.query('CREATE DATABASE sluice_production');
  await server.query('CREATE DATABASE sluice_other_0123456789');
  await server.query("COMMENT ON DATABASE sluice_other_0123456789 IS 'the database of a team called sluice'");
  await server.query('CREATE DATABASE sluicer');
  t.deepEqual(await dropLeftovers({ adminUrl, olderThanMs: 3_600_000, keep: [kept.name, 'sluice_run'], now, signal }), [
    'sluice_half_0123456789',
  ]);
  const later = await dropLeftovers({
    adminUrl,
    olderThanMs: 3_600_000,
    keep: [kept.name],
    now: now + 7_200_000,
    signal,
  });
  t.true(later.includes(young.name));
  t.false(later.includes(kept.name));
  t.true((await names()).includes('sluice_other_0123456789'));
  t.is((await server.query("SELECT 1 FROM pg_database WHERE datname IN ('sluicer', 'sluice_production')")).length, 2);
  await kept.drop();
});

test('counters prove which changed tables the tests touched', async (t) => {
  const url = await template();
  const before = await withConnection({ url, signal }, readSchema);
  await server.query('ALTER TABLE users ADD COLUMN email text; CREATE INDEX teams_id ON teams (id)', nameOf(url));
  const changed = changedTables(diffSchemas(before, await withConnection({ url, signal }, readSchema)));
  t.deepEqual(changed, ['public.teams', 'public.users']);
  await withConnection({ url, signal }, async (connection) => {
    const counters = await readCounters(connection);
    t.deepEqual(
      await untouchedTables(connection, { before: counters, tables: changed, signal, patienceMs: 0 }),
      changed,
    );
    await server.query("INSERT INTO users (name) VALUES ('a')", nameOf(url));
    const look = { before: counters, tables: changed, signal, patienceMs: 3_000 };
    t.deepEqual(await untouchedTables(connection, look), ['public.teams']);
    await server.query('SELECT * FROM teams', nameOf(url));
    t.deepEqual(await untouchedTables(connection, look), []);
    t.deepEqual([...touchedTables(counters, await readCounters(connection))].toSorted(), changed);
  });
});

test('a session that stays open and idle is counted too, when it is waited for', async (t) => {
  const url = await template();
  const client = new pg.Client(url);
  await client.connect();
  await withConnection({ url, signal }, async (connection) => {
    const before = await readCounters(connection);
    for (let i = 0; i < 3; i += 1) await client.query('SELECT * FROM teams');
    t.deepEqual(await untouchedTables(connection, { before, tables: ['public.teams'], signal }), []);
  });
  await client.end();
});

test('a table that was made anew counts from nothing', (t) => {
  const before = new Map([
    ['a', { scans: 9, writes: 9 }],
    ['b', { scans: 5, writes: 5 }],
  ]);
  const after = new Map([
    ['a', { scans: 1, writes: 0 }],
    ['b', { scans: 5, writes: 5 }],
    ['c', { scans: 0, writes: 1 }],
  ]);
  t.deepEqual([...touchedTables(before, after)], ['a', 'c']);
});
