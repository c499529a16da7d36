import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { startPostgres } from '../../store/postgres/postgres-server-fixture.ts';
import type { PostgresServer } from '../../store/postgres/postgres-server-fixture.ts';
import { withConnection } from '../database/connection.ts';
import { temporaryFolder } from '../files-fixture.ts';
import { detectTool } from '../tools/detect-tool.ts';
import { readStatus } from '../tools/read-status.ts';
import { applySqlFiles } from './apply-sql-files.ts';
import { migrate } from './migrate.ts';

let server: PostgresServer;
test.before(async () => {
  server = await startPostgres();
});
test.after.always(() => server.remove());

const signal = AbortSignal.timeout(600_000);
const nameOf = (url: string) => new URL(url).pathname.slice(1);

async function site(t: ExecutionContext, files: Readonly<Record<string, string>>) {
  const root = await temporaryFolder(
    t,
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`migrations/${name}`, text])),
  );
  const url = await server.database();
  const place = { root, folder: 'migrations' };
  return {
    url,
    site: place,
    apply: (outOfOrder = false) => applySqlFiles({ url, site: place, outOfOrder, signal }),
    write: (name: string, text: string) => writeFile(join(root, 'migrations', name), text),
    remove: (name: string) => rm(join(root, 'migrations', name)),
    query: (text: string) => server.query(text, nameOf(url)),
  };
}

test('files are applied once, in the order of their names, without their way down', async (t) => {
  const { apply, query, write } = await site(t, {
    '002_more.sql': 'ALTER TABLE a ADD COLUMN y int;\n-- migrate:down\nALTER TABLE a DROP COLUMN y;',
    '001_first.sql': 'CREATE TABLE a (x int);\nINSERT INTO a VALUES (1);',
    '001_first.down.sql': 'DROP TABLE a;',
  });
  t.deepEqual(await apply(), { applied: ['001_first.sql', '002_more.sql'], problems: [] });
  t.deepEqual(await apply(), { applied: [], problems: [] });
  t.deepEqual(await query('SELECT x, y FROM a'), [{ x: 1, y: null }]);
  await write('003_last.sql', 'DROP TABLE a;');
  t.deepEqual((await apply()).applied, ['003_last.sql']);
});

test('a file that fails has its place, leaves nothing of itself, and stops those behind it', async (t) => {
  const { apply, query } = await site(t, {
    '1.sql': 'CREATE TABLE a (x int);',
    '2.sql': '-- größer\nCREATE TABLE b (x int);\nALTER TABLE b\n  ADD COLUMN y inte;',
    '3.sql': 'CREATE TABLE c (x int);',
  });
  const { applied, problems, state } = await apply();
  t.deepEqual(applied, ['1.sql']);
  t.is(state, '42704');
  t.like(problems[0], {
    code: 'migration-failed',
    file: 'migrations/2.sql',
    line: 4,
    column: 16,
    message: 'type "inte" does not exist.',
  });
  t.deepEqual(await query("SELECT relname FROM pg_class WHERE relname IN ('a', 'b', 'c')"), [{ relname: 'a' }]);
});

test('a mistake of syntax is told before the database is asked', async (t) => {
  const { apply } = await site(t, { '1.sql': 'CREATE TABLE a (x int);\nCREATE TABEL b (x int);' });
  t.like((await apply()).problems[0], { code: 'migration-failed', line: 2, column: 8 });
});

test('a file that changed or is gone stops everything; line ends are no change', async (t) => {
  const { apply, write, remove } = await site(t, {
    '1.sql': 'CREATE TABLE a (x int);\n',
    '2.sql': 'CREATE TABLE b (x int);',
  });
  await apply();
  await write('1.sql', 'CREATE TABLE a (x int);\r\n');
  t.deepEqual((await apply()).problems, []);
  await write('1.sql', 'CREATE TABLE a (x bigint);');
  await remove('2.sql');
  await write('3.sql', 'CREATE TABLE c (x int);');
  const { applied, problems } = await apply();
  t.deepEqual(applied, []);
  t.deepEqual(
    problems.map(({ code, file }) => [code, file]),
    [
      ['migration-changed', 'migrations/1.sql'],
      ['migration-missing', 'migrations/2.sql'],
    ],
  );
});

test('a file that comes before an applied one is a problem, unless that is allowed', async (t) => {
  const { apply, write } = await site(t, { '1.sql': 'CREATE TABLE a (x int);', '3.sql': 'CREATE TABLE c (x int);' });
  await apply();
  await write('2.sql', 'CREATE TABLE b (x int);');
  t.like(await apply(), { applied: [], problems: [{ code: 'migration-out-of-order', file: 'migrations/2.sql' }] });
  t.like(await apply(true), { applied: ['2.sql'], problems: [] });
});

test('without a transaction statements run one by one, so that CONCURRENTLY works', async (t) => {
  const { apply, query } = await site(t, {
    '1.sql': 'CREATE TABLE a (x int, y int);',
    '2.sql': '-- sluice:no-transaction\nCREATE INDEX CONCURRENTLY i ON a (x);\nCREATE INDEX CONCURRENTLY j ON a (y);',
    '3.sql': 'CREATE INDEX CONCURRENTLY k ON a (x);',
  });
  const { applied, problems } = await apply();
  t.deepEqual(applied, ['1.sql', '2.sql']);
  t.regex(problems[0]?.message ?? '', /cannot run inside a transaction block/);
  t.is((await query("SELECT 1 FROM pg_class WHERE relname IN ('i', 'j')")).length, 2);
});

test('a file that ends its transaction itself is refused', async (t) => {
  const { apply, query } = await site(t, { '1.sql': 'CREATE TABLE a (x int);\nCOMMIT;' });
  t.like((await apply()).problems[0], { code: 'migration-failed', line: 2, column: 1 });
  t.deepEqual(await query("SELECT 1 FROM pg_class WHERE relname = 'a'"), []);
});

test('plain files under the lock of migrations: applied, proved, with their status', async (t) => {
  const { url, site: place } = await site(t, {
    '1.sql': 'CREATE TABLE a (x int);',
    '2.sql': 'CREATE INDEX i ON a (x);',
  });
  const detected = await detectTool(place.root);
  if (detected === undefined) throw new Error('there are migrations');
  const result = await migrate({
    url,
    run: async (given) => {
      const { problems, state } = await applySqlFiles({ url: given.url, site: detected.site, signal: given.signal });
      return { exitCode: problems.length, output: state ?? '' };
    },
    status: (connection) => readStatus(detected, connection),
    signal,
  });
  t.like(result, { outcome: 'succeeded', status: { tool: 'sql', applied: ['1.sql', '2.sql'], pending: [] } });
  const before = await withConnection({ url, signal }, (connection) => readStatus(detected, connection));
  t.deepEqual(before, result.status);
});

test('a command that leaves something pending is found out, whatever its exit code', async (t) => {
  const { url, site: place } = await site(t, { '1.sql': 'CREATE TABLE a (x int);' });
  const detected = await detectTool(place.root);
  if (detected === undefined) throw new Error('there are migrations');
  const run = () => Promise.resolve({ exitCode: 0, output: 'all done!' });
  const result = await migrate({ url, run, status: (connection) => readStatus(detected, connection), signal });
  t.like(result, {
    outcome: 'failed',
    fault: 'pending',
    message: 'The command ended, and this is still to be applied: 1.sql.',
  });
});
