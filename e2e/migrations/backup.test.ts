import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import test from 'ava';
import type { SluiceError } from '../../runner/model/errors.ts';
import { startPostgres } from '../../runner/store/postgres/postgres-server-fixture.ts';
import type { PostgresServer } from '../../runner/store/postgres/postgres-server-fixture.ts';
import { temporaryFolder } from '../../runner/migrations/files-fixture.ts';
import { backup, restoreVerified } from '../../runner/migrations/backup/backup.ts';
import type { Backup } from '../../runner/migrations/backup/backup.ts';

let server: PostgresServer;
let scratch: PostgresServer;
test.before(async () => {
  [server, scratch] = await Promise.all([startPostgres(), startPostgres()]);
});
test.after.always(() => Promise.all([server.remove(), scratch.remove()]));

const signal = AbortSignal.timeout(600_000);
const path = process.env['PATH'] ?? '';
const nameOf = (url: string) => new URL(url).pathname.slice(1);

async function database(): Promise<string> {
  const url = await server.database();
  await server.query(
    `CREATE TYPE mood AS ENUM ('happy'); CREATE SCHEMA audit; CREATE TABLE audit.log (at timestamptz) PARTITION BY RANGE (at);
     CREATE TABLE audit.log_1 PARTITION OF audit.log DEFAULT; INSERT INTO audit.log VALUES (now()), (now());
     CREATE TABLE users (id serial PRIMARY KEY, mood mood DEFAULT 'happy', name text UNIQUE);
     INSERT INTO users (name) SELECT md5(i::text) FROM generate_series(1, 5000) i;
     CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM users;
     CREATE TABLE pgmigrations (name text); INSERT INTO pgmigrations VALUES ('1_users')`,
    nameOf(url),
  );
  return url;
}

const verify = async (taken: Backup) =>
  restoreVerified({ backup: taken, scratchUrl: await scratch.database(), path, signal });
const leftovers = () => scratch.query("SELECT datname FROM pg_database WHERE datname LIKE 'sluice\\_restore%'");

test.serial(
  'a backup is restored into a scratch database with the same schema and rows, and the scratch database goes',
  async (t) => {
    const url = await database();
    const file = join(await temporaryFolder(t), 'dump');
    const taken = await backup({ url, file, path, signal });
    t.is(taken.bytes, (await stat(file)).size);
    t.deepEqual(taken.rows, { 'audit.log_1': 2, 'public.counted': 1, 'public.pgmigrations': 1, 'public.users': 5000 });
    t.deepEqual(await verify(taken), { verified: true, tables: 4, rows: 5004 });
    t.deepEqual(await leftovers(), []);
  },
);

test.serial('writes during a backup do not make its counts wrong', async (t) => {
  const url = await database();
  const client = new pg.Client(url);
  await client.connect();
  const done = new AbortController();
  const writing = (async () => {
    while (!done.signal.aborted)
      await client.query('INSERT INTO users (name) VALUES (md5(random()::text)); DELETE FROM audit.log');
  })();
  const taken = await backup({ url, file: join(await temporaryFolder(t), 'dump'), path, signal });
  done.abort();
  await writing;
  await client.end();
  t.like(await verify(taken), { verified: true });
});

test.serial('a backup that was cut off, or is not what was written, is refused', async (t) => {
  const file = join(await temporaryFolder(t), 'dump');
  const taken = await backup({ url: await database(), file, path, signal });
  await truncate(file, taken.bytes - 5_000);
  t.like(await verify(taken), { verified: false, message: `${file} is gone, or not what was written` });
  const sha256 = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  const cut = await verify({ ...taken, sha256 });
  t.false(cut.verified);
  t.regex(cut.verified ? '' : cut.message, /pg_restore: /);
  await writeFile(file, 'no dump');
  const other = createHash('sha256').update('no dump').digest('hex');
  t.like(await verify({ ...taken, sha256: other }), { verified: false });
  t.deepEqual(await leftovers(), []);
});

test.serial('a restore with other rows or another schema is refused by name', async (t) => {
  const taken = await backup({ url: await database(), file: join(await temporaryFolder(t), 'dump'), path, signal });
  const more = { ...taken.rows, 'public.users': 5001 };
  t.like(await verify({ ...taken, rows: more }), {
    verified: false,
    message: 'public.users has 5000 rows restored and had 5001.',
  });
  t.like(await verify({ ...taken, rows: { ...taken.rows, 'public.gone': 1 } }), { verified: false });
  t.like(await verify({ ...taken, fingerprint: '0' }), {
    verified: false,
    message: 'The restored schema is another one.',
  });
});

test.serial('a database that cannot be dumped has no backup, and no file', async (t) => {
  const url = await database();
  await server.query(`CREATE ROLE blind LOGIN PASSWORD 'blind'`);
  const blind = new URL(url);
  blind.username = 'blind';
  blind.password = 'blind';
  const file = join(await temporaryFolder(t), 'dump');
  const error = await t.throwsAsync<SluiceError>(backup({ url: blind.href, file, path, signal }));
  t.is(error.code, 'ERR_SERVICE');
  t.regex(error.message, /permission denied/);
  await t.throwsAsync(stat(file));
});

test.serial('without pg_dump the next step is told', async (t) => {
  const file = join(await temporaryFolder(t), 'dump');
  const error = await t.throwsAsync<SluiceError>(backup({ url: await database(), file, path: '/nowhere', signal }));
  t.regex(error.hint ?? '', /postgresql-client/);
});
