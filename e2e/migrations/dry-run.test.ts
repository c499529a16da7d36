import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { SluiceError } from '../../runner/model/errors.ts';
import { startPostgres } from '../../runner/store/postgres/postgres-server-fixture.ts';
import type { PostgresServer } from '../../runner/store/postgres/postgres-server-fixture.ts';
import { applySqlFiles } from '../../runner/migrations/apply/apply-sql-files.ts';
import { nodeProgram, psql } from './command.ts';
import type { RunCommand } from '../../runner/migrations/apply/command.ts';
import { temporaryFolder } from '../../runner/migrations/files-fixture.ts';
import { clientVariables } from '../../runner/migrations/database/client-variables.ts';
import { withConnection } from '../../runner/migrations/database/connection.ts';
import { copySchema } from '../../runner/migrations/dry-run/copy-schema.ts';
import { dryRun as dryRunOn } from '../../runner/migrations/dry-run/dry-run.ts';
import type { DryRun, DryRunOptions } from '../../runner/migrations/dry-run/dry-run.ts';

let production: PostgresServer;
let scratch: PostgresServer;
test.before(async () => {
  [production, scratch] = await Promise.all([startPostgres(), startPostgres()]);
});
test.after.always(() => Promise.all([production.remove(), scratch.remove()]));

const signal = AbortSignal.timeout(600_000);
const path = process.env['PATH'] ?? '';
const nameOf = (url: string) => new URL(url).pathname.slice(1);

type Options = Omit<DryRunOptions, 'copy'> & { readonly productionUrl: string };

/** Copied, and tried on the copy. */
async function dryRun({ productionUrl: url, ...options }: Options): Promise<DryRun> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-copy-'));
  try {
    const copy = await copySchema({ url, folder, path, signal });
    return await dryRunOn({ ...options, copy });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A database like production: a large table, a small one, and a role that can only read. */
async function site(): Promise<{ readonly options: Omit<Options, 'run'>; readonly url: string }> {
  const url = await production.database();
  const role = `reader_${nameOf(url)}`;
  await production.query(
    `CREATE TYPE mood AS ENUM ('happy'); CREATE EXTENSION pg_trgm;
     CREATE TABLE events (id int PRIMARY KEY, mood mood, note varchar(20)); CREATE TABLE teams (id int PRIMARY KEY);
     INSERT INTO events SELECT i, 'happy', 'secret ' || i FROM generate_series(1, 3000) i; ANALYZE events; ANALYZE teams;
     CREATE ROLE ${role} LOGIN PASSWORD 'reader'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role};`,
    nameOf(url),
  );
  const reader = new URL(url);
  reader.username = role;
  reader.password = 'reader';
  return {
    options: { productionUrl: reader.href, scratchUrl: await scratch.database(), path, largeRows: 1_000, signal },
    url,
  };
}

const scratchDatabases = () => scratch.query("SELECT datname FROM pg_database WHERE datname LIKE 'sluice\\_dry%'");

test.serial(
  'a change of type shows ACCESS EXCLUSIVE and a rewrite of the large table, and production is as it was',
  async (t) => {
    const { options, url } = await site();
    const { end, statements, tables, traced, changes } = await dryRun({
      ...options,
      run: psql('ALTER TABLE events ALTER COLUMN id TYPE bigint'),
    });
    t.is(end.exitCode, 0, end.output);
    t.true(traced);
    t.deepEqual(
      statements.map(({ statement, locks }) => [statement, [...locks]]),
      [['ALTER TABLE public.events', [['public.events', 'AccessExclusiveLock']]]],
    );
    t.like(tables[0], {
      table: 'public.events',
      mode: 'AccessExclusiveLock',
      rewritten: true,
      rows: 3000,
      flagged: true,
    });
    t.deepEqual(
      changes.map(({ change, kind, name }) => `${change} ${kind} ${name}`),
      ['changed column public.events.id'],
    );
    const [row] = await production.query(
      "SELECT format_type(atttypid, 0) AS type FROM pg_attribute WHERE attrelid = 'events'::regclass AND attname = 'id'",
      nameOf(url),
    );
    t.is(row?.['type'], 'integer');
    t.deepEqual(await scratchDatabases(), []);
  },
);

test.serial('each statement has its own locks, by the strongest mode, also inside one transaction', async (t) => {
  const { options } = await site();
  const { statements, tables } = await dryRun({
    ...options,
    run: psql(
      `BEGIN; CREATE INDEX events_note ON events (note); ALTER TABLE events ADD COLUMN team int; 
       ALTER TABLE events ADD FOREIGN KEY (team) REFERENCES teams NOT VALID; CREATE TABLE fresh (id int); COMMIT`,
    ),
  });
  t.deepEqual(
    statements.map(({ statement, locks }) => [statement, [...locks]]),
    [
      ['CREATE INDEX public.events_note', [['public.events', 'ShareLock']]],
      ['ALTER TABLE public.events', [['public.events', 'AccessExclusiveLock']]],
      ['ALTER TABLE public.events', [['public.teams', 'ShareRowExclusiveLock']]],
      ['CREATE TABLE public.fresh', []],
    ],
  );
  t.deepEqual(
    tables.map(({ table, mode, flagged, rewritten, lasting }) => [table, mode, flagged, rewritten, lasting]),
    [
      ['public.events', 'AccessExclusiveLock', true, false, true],
      ['public.teams', 'ShareRowExclusiveLock', false, false, false],
    ],
    'what lasts is the index of the large table, and not the column that is added',
  );
});

test.serial('changes of rows and CONCURRENTLY, which no event trigger sees, are sampled', async (t) => {
  const { options } = await site();
  const { tables } = await dryRun({
    ...options,
    run: nodeProgram(
      "await client.query('BEGIN'); await client.query('UPDATE teams SET id = 1'); await client.query('SELECT pg_sleep(0.5)'); await client.query('COMMIT')",
    ),
  });
  t.deepEqual(
    tables.map(({ table, mode, flagged }) => [table, mode, flagged]),
    [['public.teams', 'RowExclusiveLock', false]],
  );
});

test.serial('no row of production leaves it, but what tools remember does: only pending files run', async (t) => {
  const { options, url } = await site();
  const root = await temporaryFolder(t, {
    'migrations/1.sql': 'ALTER TABLE teams ADD COLUMN name text;',
    'migrations/2.sql': 'ALTER TABLE teams ADD COLUMN size int;',
  });
  const folder = { root, folder: 'migrations' };
  const first = await temporaryFolder(t, { 'migrations/1.sql': 'ALTER TABLE teams ADD COLUMN name text;' });
  await applySqlFiles({ url, site: { root: first, folder: 'migrations' }, signal });
  await production.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_${nameOf(url)}`, nameOf(url));
  let rows: unknown;
  const run: RunCommand = async (given) => {
    rows = (await scratch.query('SELECT count(*)::int AS n FROM events', nameOf(given.url)))[0]?.['n'];
    const { applied, problems } = await applySqlFiles({ url: given.url, site: folder, signal });
    return { exitCode: problems.length, output: applied.join(' ') };
  };
  const { end, changes } = await dryRun({ ...options, run });
  t.deepEqual(end, { exitCode: 0, output: '2.sql' });
  t.is(rows, 0);
  t.deepEqual(
    changes.map(({ name }) => name),
    ['public.teams.size'],
  );
});

test.serial('a command that fails leaves no scratch database, and neither does one that is cancelled', async (t) => {
  const { options } = await site();
  const { end, statements } = await dryRun({ ...options, run: psql('CREATE TABLE a (id int)', 'SELECT 1/0') });
  t.not(end.exitCode, 0);
  t.is(statements.length, 1);
  t.deepEqual(await scratchDatabases(), []);
  const stop = new AbortController();
  const running = dryRun({ ...options, run: psql('SELECT pg_sleep(60)'), signal: stop.signal });
  while ((await scratch.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")).length === 0)
    await sleep(20);
  stop.abort();
  t.is((await t.throwsAsync<SluiceError>(running)).code, 'ERR_ABORTED');
  t.deepEqual(await scratchDatabases(), []);
});

test.serial('an account that may not watch from inside sees the locks that last', async (t) => {
  const { options } = await site();
  await scratch.query("CREATE ROLE maker LOGIN CREATEDB PASSWORD 'maker'");
  const maker = new URL(options.scratchUrl);
  maker.username = 'maker';
  maker.password = 'maker';
  const { traced, tables, statements } = await dryRun({
    ...options,
    scratchUrl: maker.href,
    run: nodeProgram(
      "await client.query('BEGIN'); await client.query('ALTER TABLE events ALTER id TYPE bigint'); await client.query('SELECT pg_sleep(0.5)'); await client.query('COMMIT')",
    ),
  });
  t.false(traced);
  t.deepEqual(statements, []);
  t.like(tables[0], { table: 'public.events', mode: 'AccessExclusiveLock', rewritten: true, flagged: true });
});

test.serial('a column that is added to a large table locks it for a moment only', async (t) => {
  const { options } = await site();
  const { tables } = await dryRun({ ...options, run: psql('ALTER TABLE events ADD COLUMN team int') });
  t.like(tables[0], { table: 'public.events', flagged: true, lasting: false });
});

test.serial('what is in the scratch database belongs to the role that migrates, extensions apart', async (t) => {
  const { options } = await site();
  await scratch.query("CREATE ROLE migrator LOGIN PASSWORD 'migrator'");
  const as = (url: string): string => Object.assign(new URL(url), { username: 'migrator', password: 'migrator' }).href;
  const { end, changes, traced } = await dryRun({
    ...options,
    prepare: async (url) => {
      await withConnection({ url, signal }, (connection) => connection.query('ALTER SCHEMA public OWNER TO migrator'));
      return 'migrator';
    },
    run: ({ url, signal: ended }) =>
      psql("ALTER TABLE events ADD COLUMN team text; ALTER TYPE mood ADD VALUE 'sad'")({
        url: as(url),
        env: clientVariables(as(url)),
        signal: ended,
      }),
  });
  t.is(end.exitCode, 0, end.output);
  t.true(traced);
  t.deepEqual(
    changes.map(({ change, name }) => `${change} ${name}`),
    ['added public.events.team', 'changed public.mood'],
  );
});

test.serial('a production that cannot be read says why', async (t) => {
  const { options, url } = await site();
  await production.query(`CREATE TABLE pgmigrations (name text)`, nameOf(url));
  const error = await t.throwsAsync<SluiceError>(dryRun({ ...options, run: psql('SELECT 1') }));
  t.is(error.code, 'ERR_SERVICE');
  t.regex(error.message, /permission denied for table pgmigrations/);
});
