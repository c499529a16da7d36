import test from 'ava';
import pg from 'pg';
import { startPostgres } from '../../store/postgres/postgres-server-fixture.ts';
import { withConnection } from '../database/connection.ts';
import { readCatalog } from '../schema/read-catalog.ts';
import { classify } from './classify.ts';
import type { RuleId } from './rules.ts';

const setup = `
  CREATE TABLE teams (id int PRIMARY KEY); INSERT INTO teams VALUES (1);
  CREATE TABLE users (id int PRIMARY KEY, name varchar(100), email text, price numeric(8,2), team int, at timestamptz,
    CONSTRAINT at_present CHECK (at IS NOT NULL), CONSTRAINT unproved CHECK (id > 0) NOT VALID);
  ALTER TABLE users ADD CONSTRAINT proved CHECK (id > -1);
  INSERT INTO users SELECT i, i::text, i::text, 1, 1, now() FROM generate_series(1, 10001) i;
  CREATE INDEX users_name ON users (name); CREATE UNIQUE INDEX users_email ON users (email);
  ANALYZE users; ANALYZE teams;`;

/** Rules that say that the server works through all rows while it holds a strong lock. */
const aboutWork: ReadonlySet<RuleId> = new Set<RuleId>([
  'rewriting-column',
  'column-type-change',
  'table-rewrite',
  'constraint-without-not-valid',
  'constraint-builds-index',
  'not-null-scan',
  'index-without-concurrently',
]);

const statements: readonly string[] = [
  'ALTER TABLE users ADD COLUMN n text',
  'ALTER TABLE users ADD COLUMN n boolean NOT NULL DEFAULT true',
  'ALTER TABLE users ADD COLUMN n timestamptz DEFAULT now()',
  "ALTER TABLE users ADD COLUMN n jsonb DEFAULT jsonb_build_object('a', 1)",
  "ALTER TABLE users ADD COLUMN n text DEFAULT upper('a') || 'b'",
  'ALTER TABLE users ADD COLUMN n timestamptz DEFAULT current_timestamp',
  'ALTER TABLE users ADD COLUMN n timestamptz DEFAULT clock_timestamp()',
  'ALTER TABLE users ADD COLUMN n uuid DEFAULT gen_random_uuid()',
  'ALTER TABLE users ADD COLUMN n float8 DEFAULT random()',
  'ALTER TABLE users ADD COLUMN n serial',
  'ALTER TABLE users ADD COLUMN n int GENERATED ALWAYS AS IDENTITY',
  'ALTER TABLE users ADD COLUMN n int GENERATED ALWAYS AS (id * 2) STORED',
  'ALTER TABLE users ADD COLUMN n int UNIQUE',
  'ALTER TABLE users ADD COLUMN n int CHECK (n > 0)',
  'ALTER TABLE users ADD COLUMN n int REFERENCES teams',
  'ALTER TABLE users ADD COLUMN n int DEFAULT 1 REFERENCES teams',
  'ALTER TABLE users DROP COLUMN price',
  'ALTER TABLE users ALTER COLUMN name TYPE varchar(200)',
  'ALTER TABLE users ALTER COLUMN name TYPE text',
  'ALTER TABLE users ALTER COLUMN email TYPE varchar',
  'ALTER TABLE users ALTER COLUMN email TYPE varchar(50)',
  'ALTER TABLE users ALTER COLUMN name TYPE varchar(50)',
  'ALTER TABLE users ALTER COLUMN price TYPE numeric(10,2)',
  'ALTER TABLE users ALTER COLUMN price TYPE numeric',
  'ALTER TABLE users ALTER COLUMN price TYPE numeric(10,3)',
  'ALTER TABLE users ALTER COLUMN id TYPE bigint',
  'ALTER TABLE users ALTER COLUMN at SET NOT NULL',
  'ALTER TABLE users ALTER COLUMN email SET NOT NULL',
  'ALTER TABLE users ALTER COLUMN name SET DEFAULT 1',
  'ALTER TABLE users ADD CHECK (id < 1000000)',
  'ALTER TABLE users ADD CHECK (id < 1000000) NOT VALID',
  'ALTER TABLE users ADD FOREIGN KEY (team) REFERENCES teams',
  'ALTER TABLE users ADD FOREIGN KEY (team) REFERENCES teams NOT VALID',
  'ALTER TABLE users ADD UNIQUE (name)',
  'ALTER TABLE users ADD CONSTRAINT e UNIQUE USING INDEX users_email',
  'ALTER TABLE users SET UNLOGGED',
  'ALTER TABLE users RENAME COLUMN name TO title',
  'CREATE INDEX i ON users (at)',
  'CREATE TABLE fresh AS SELECT 1 AS one',
];

test('PostgreSQL works through the rows of a table exactly where the rules say so', async (t) => {
  const server = await startPostgres();
  t.teardown(() => server.remove());
  const url = await server.database();
  const database = new URL(url).pathname.slice(1);
  await server.query(setup, database);
  const signal = AbortSignal.timeout(600_000);
  const catalog = await withConnection({ url, signal }, readCatalog);
  const client = new pg.Client(url);
  await client.connect();
  t.teardown(() => client.end());
  for (const sql of statements) {
    const { statements: found } = await classify(sql, { file: 'm.sql', today: '2026-01-01', catalog });
    const expected = found.flatMap(({ findings }) => findings).some(({ rule }) => aboutWork.has(rule));
    t.is(await works(client, sql), expected, sql);
  }
});

/** Whether a statement reads or rewrites `users`; it is rolled back. The counters are those of the transaction itself. */
async function works(client: pg.Client, sql: string): Promise<boolean> {
  const look =
    "SELECT pg_stat_get_xact_numscans('users'::regclass)::int AS scans, pg_relation_filenode('users') AS file";
  await client.query('BEGIN');
  const before = (await client.query<Record<'scans' | 'file', number>>(look)).rows[0];
  await client.query(sql);
  const after = (await client.query<Record<'scans' | 'file', number>>(look)).rows[0];
  await client.query('ROLLBACK');
  return after?.scans !== before?.scans || after?.file !== before?.file;
}
