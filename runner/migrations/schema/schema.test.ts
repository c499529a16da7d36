import test from 'ava';
import { startPostgres } from '../../store/postgres/postgres-server-fixture.ts';
import type { PostgresServer } from '../../store/postgres/postgres-server-fixture.ts';
import { withConnection } from '../database/connection.ts';
import { classify } from '../classify/classify.ts';
import { bookkeepingTables } from './bookkeeping.ts';
import { classOfDiff, diffSchemas } from './diff-schemas.ts';
import { readCatalog } from './read-catalog.ts';
import { fingerprint, fingerprintOf, readSchema } from './read-schema.ts';

let server: PostgresServer;
test.before(async () => {
  server = await startPostgres();
});
test.after.always(() => server.remove());

const signal = AbortSignal.timeout(600_000);
const database = (url: string) => new URL(url).pathname.slice(1);

async function made(...statements: readonly string[]): Promise<string> {
  const url = await server.database('template template0');
  for (const statement of statements) await server.query(statement, database(url));
  return url;
}

const snapshotOf = (url: string) => withConnection({ url, signal }, (connection) => readSchema(connection));
const digestOf = async (...statements: readonly string[]) =>
  withConnection({ url: await made(...statements), signal }, fingerprint);

const everything = [
  `CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE DOMAIN age AS int CHECK (VALUE > 0); CREATE TYPE point3 AS (x int, y int);
   CREATE SCHEMA audit; CREATE EXTENSION pg_trgm; CREATE TYPE span AS RANGE (subtype = float8);`,
  `CREATE TABLE users (id bigserial PRIMARY KEY, name text NOT NULL DEFAULT 'x', mood mood, email varchar(50) UNIQUE);
   CREATE TABLE audit.log (at timestamptz, who bigint REFERENCES users) PARTITION BY RANGE (at);
   CREATE TABLE audit.log_2026 PARTITION OF audit.log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
   CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY, twice int GENERATED ALWAYS AS (1 * 2) STORED);`,
  `CREATE INDEX users_name ON users (lower(name)) WHERE name <> ''; CREATE VIEW happy AS SELECT id, name FROM users WHERE mood = 'happy';
   CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM users; CREATE SEQUENCE tickets START 100;
   CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
   CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int);
   CREATE TRIGGER stamp BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION stamp();
   CREATE POLICY own ON users FOR SELECT USING (id = 1); CREATE STATISTICS both_ ON id, name FROM users;
   CREATE RULE no_delete AS ON DELETE TO users DO INSTEAD NOTHING;`,
];

test('the fingerprint does not depend on the order of creation, oids, owners, rows, rights, search path or dropped columns', async (t) => {
  const plain = await digestOf(
    'CREATE TABLE a (x int, y text DEFAULT now()::text); CREATE TABLE b (z int); CREATE INDEX i ON a (x)',
  );
  await server.query('CREATE ROLE somebody');
  const other = await digestOf(
    'CREATE TABLE unrelated (i int); DROP TABLE unrelated; CREATE TABLE b (q int, z int); ALTER TABLE b DROP COLUMN q',
    'CREATE TABLE a (y text DEFAULT now()::text, x int); CREATE INDEX i ON a (x); INSERT INTO b VALUES (1)',
    'ALTER TABLE a OWNER TO somebody; GRANT SELECT ON b TO somebody; CREATE SCHEMA hidden; DROP SCHEMA hidden',
  );
  t.is(other, plain);
  const moved = await made(...everything);
  const before = fingerprintOf(await snapshotOf(moved));
  await server.query(`ALTER DATABASE ${database(moved)} SET search_path = audit`);
  t.is(fingerprintOf(await snapshotOf(moved)), before);
});

test('the bookkeeping of tools is no part of the schema', async (t) => {
  const plain = await digestOf('CREATE TABLE a (x int)');
  const tables = bookkeepingTables.map((name) => `CREATE TABLE "${name}" (id serial PRIMARY KEY, name text UNIQUE)`);
  t.is(await digestOf('CREATE TABLE a (x int)', ...tables, 'CREATE INDEX extra ON pgmigrations (name)'), plain);
});

const differences: readonly (readonly [statement: string, what: string, expected: string])[] = [
  ['ALTER TABLE users ADD COLUMN note text', 'added column public.users.note', 'expand'],
  ['ALTER TABLE users ADD COLUMN n int NOT NULL', 'added column public.users.n', 'breaking'],
  ['ALTER TABLE users DROP COLUMN email', 'removed column public.users.email', 'contract'],
  ['ALTER TABLE users ALTER COLUMN email TYPE varchar(80)', 'changed column public.users.email', 'expand'],
  ['ALTER TABLE users ALTER COLUMN email TYPE varchar(20)', 'changed column public.users.email', 'breaking'],
  ['ALTER TABLE users ALTER COLUMN email SET NOT NULL', 'changed column public.users.email', 'contract'],
  ['ALTER TABLE users ALTER COLUMN name DROP NOT NULL', 'changed column public.users.name', 'expand'],
  ['ALTER TABLE users ALTER COLUMN name DROP DEFAULT', 'changed column public.users.name', 'contract'],
  ["ALTER TABLE users ALTER COLUMN name SET DEFAULT 'y'", 'changed column public.users.name', 'expand'],
  ['ALTER TABLE users RENAME COLUMN mood TO feeling', 'removed column public.users.mood', 'contract'],
  ['ALTER TABLE users DROP CONSTRAINT users_email_key', 'removed constraint public.users.users_email_key', 'contract'],
  ['ALTER TABLE audit.log DROP CONSTRAINT log_who_fkey', 'removed constraint audit.log.log_who_fkey', 'expand'],
  ['ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0) NOT VALID', 'added constraint public.users.c', 'expand'],
  ["ALTER TYPE mood ADD VALUE 'calm' BEFORE 'sad'", 'changed enum public.mood', 'expand'],
  ["ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'", 'changed enum public.mood', 'breaking'],
  ['ALTER DOMAIN age DROP CONSTRAINT age_check', 'removed constraint public.age.age_check', 'expand'],
  ['DROP INDEX users_name', 'removed index public.users.users_name', 'expand'],
  ['CREATE UNIQUE INDEX u ON users (name)', 'added index public.users.u', 'expand'],
  ['DROP VIEW happy', 'removed view public.happy', 'contract'],
  ['CREATE OR REPLACE VIEW happy AS SELECT id, name, email FROM users', 'changed view public.happy', 'expand'],
  ['DROP TRIGGER stamp ON users', 'removed trigger public.users.stamp', 'contract'],
  ['ALTER TABLE users DISABLE TRIGGER stamp', 'changed trigger public.users.stamp', 'expand'],
  ['ALTER TABLE users ENABLE ROW LEVEL SECURITY', 'changed table public.users', 'breaking'],
  ['ALTER SEQUENCE tickets INCREMENT 5', 'changed sequence public.tickets', 'expand'],
  ['DROP AGGREGATE total(int)', 'removed function public.total(integer)', 'contract'],
  [
    "CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN old; END'",
    'changed function public.stamp()',
    'expand',
  ],
  ['DROP EXTENSION pg_trgm', 'removed extension pg_trgm', 'contract'],
  ['DROP POLICY own ON users', 'removed policy public.users.own', 'contract'],
  ['DROP RULE no_delete ON users', 'removed rule public.users.no_delete', 'contract'],
  ['DROP STATISTICS both_', 'removed statistics public.both_', 'expand'],
  ['DROP TYPE span', 'removed range public.span', 'contract'],
  ['DROP TABLE audit.log_2026', 'removed table audit.log_2026', 'contract'],
  ['ALTER TYPE point3 ADD ATTRIBUTE z int', 'added column public.point3.z', 'expand'],
  ['CREATE TABLE extra (id int PRIMARY KEY, n int NOT NULL)', 'added table public.extra', 'expand'],
];

test('each change of any object changes the fingerprint, and is named with its class', async (t) => {
  const template = await made(...everything);
  const before = await snapshotOf(template);
  for (const [statement, what, expected] of differences) {
    const url = await server.database(`template ${database(template)}`);
    await server.query(statement, database(url));
    const after = await snapshotOf(url);
    const changes = diffSchemas(before, after);
    const named = changes.map(({ change, kind, name }) => `${change} ${kind} ${name}`);
    t.true(named.includes(what), `${statement}: ${named.join(', ')}`);
    t.is(classOfDiff(changes), expected as 'expand', statement);
    t.not(fingerprintOf(after), fingerprintOf(before), statement);
    await server.query(`DROP DATABASE ${database(url)}`);
  }
  t.deepEqual(diffSchemas(before, await snapshotOf(template)), []);
});

test('a table that comes or goes is one change', async (t) => {
  const [without, with_] = [
    await snapshotOf(await made()),
    await snapshotOf(await made('CREATE TABLE a (id serial PRIMARY KEY)')),
  ];
  const changes = diffSchemas(without, with_);
  t.deepEqual(
    changes.map(({ change, kind, name }) => `${change} ${kind} ${name}`),
    ['added table public.a', 'added sequence public.a_id_seq'],
  );
});

test('the catalog of a real database tells validated checks, types, unique names and sizes', async (t) => {
  const url = await made(
    `CREATE TABLE users (id int PRIMARY KEY, "Email" varchar(20) UNIQUE, CONSTRAINT e CHECK ("Email" IS NOT NULL), name text);
     ALTER TABLE users ADD CONSTRAINT n CHECK (name IS NOT NULL) NOT VALID`,
  );
  const empty = await withConnection({ url, signal }, readCatalog);
  t.is(empty.tables.get('public.users')?.rows, undefined);
  await server.query('INSERT INTO users SELECT i, i::text, i::text FROM generate_series(1, 20000) i', database(url));
  await server.query('ANALYZE users', database(url));
  const catalog = await withConnection({ url, signal }, readCatalog);
  const users = catalog.tables.get('public.users');
  t.is(users?.rows, 20_000);
  t.true((users?.bytes ?? 0) > 500_000);
  t.is(users?.columns.get('Email'), 'character varying(20)');
  t.deepEqual([...(users?.checkedNotNull ?? [])], ['Email']);
  t.deepEqual([...(users?.unique ?? [])].toSorted(), ['users_Email_key', 'users_pkey']);
  const sql = 'ALTER TABLE users ALTER COLUMN "Email" SET NOT NULL;';
  const found = await classify(sql, { file: 'm.sql', today: '2026-01-01', phase: 'contract', catalog });
  t.is(found.verdict, 'accepted');
});
