import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { SluiceError } from '../../runner/model/errors.ts';
import { startPostgres } from '../../runner/store/postgres/postgres-server-fixture.ts';
import type { PostgresServer } from '../../runner/store/postgres/postgres-server-fixture.ts';
import { command, nodeProgram, psql } from './command.ts';
import type { RunCommand } from '../../runner/migrations/apply/command.ts';
import { migrate } from '../../runner/migrations/apply/migrate.ts';
import type { MigrateOptions } from '../../runner/migrations/apply/migrate.ts';

let server: PostgresServer;
test.before(async () => {
  server = await startPostgres();
});
test.after.always(() => server.remove());

const signal = AbortSignal.timeout(600_000);
const fast = { lockTimeoutMs: 300, pauseMs: 50, longestPauseMs: 100, attempts: 3, waitMs: 300 };
const nameOf = (url: string) => new URL(url).pathname.slice(1);

/** A database with a table `users` of three rows. */
async function database(): Promise<string> {
  const url = await server.database();
  await server.query(
    'CREATE TABLE users (id serial PRIMARY KEY, name text); INSERT INTO users (name) VALUES (1), (2), (3)',
    nameOf(url),
  );
  return url;
}

const run = (url: string, command: RunCommand, more: Partial<MigrateOptions> = {}) =>
  migrate({ url, run: command, limits: fast, signal, ...more });

/** Sessions but those of `holder`, roles and advisory locks that are left of a migration of this database. */
async function leftIn(url: string): Promise<readonly unknown[]> {
  const role = `(SELECT 'sluice_migrate_' || oid FROM pg_database WHERE datname = '${nameOf(url)}')`;
  return server.query(
    `SELECT 'session ' || coalesce(usename, 'of no role') || ' ' || application_name AS left FROM pg_stat_activity
       WHERE datname = '${nameOf(url)}' AND backend_type = 'client backend' AND application_name <> 'report'
     UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname = ${role}
     UNION ALL SELECT 'lock' FROM pg_locks l JOIN pg_database d ON d.oid = l.database
       WHERE locktype = 'advisory' AND d.datname = '${nameOf(url)}'`,
  );
}

/** A client that holds a lock on `users` until it is released. */
async function holder(t: ExecutionContext, url: string, statement = 'LOCK TABLE users IN ACCESS SHARE MODE') {
  const client = new pg.Client({ connectionString: url, application_name: 'report' });
  await client.connect();
  client.on('error', () => undefined);
  t.teardown(() => client.end());
  await client.query('BEGIN');
  await client.query(statement);
  return client;
}

test('a migration is applied once, a second run finds nothing, and the change is named', async (t) => {
  const url = await database();
  const result = await run(url, psql('ALTER TABLE users ADD COLUMN IF NOT EXISTS email text'));
  t.like(result, { outcome: 'succeeded', attempts: 1, leftovers: 0, account: 'own-role' });
  t.not(result.fingerprintAfter, result.fingerprintBefore);
  t.deepEqual(
    result.changes.map(({ change, kind, name }) => `${change} ${kind} ${name}`),
    ['added column public.users.email'],
  );
  const again = await run(url, psql('ALTER TABLE users ADD COLUMN IF NOT EXISTS email text'));
  t.is(again.fingerprintBefore, result.fingerprintAfter);
  t.deepEqual(again.changes, []);
  t.deepEqual(await leftIn(url), []);
});

test('a command whose second run changes something is not repeatable, nor one whose second run fails', async (t) => {
  const url = await database();
  const grows = psql(
    `DO $$ BEGIN EXECUTE format('ALTER TABLE users ADD COLUMN %I int', 'c' || (random() * 1e9)::bigint); END $$`,
  );
  const result = await run(url, grows);
  t.like(result, { outcome: 'failed', fault: 'not_repeatable' });
  t.regex(result.message ?? '', /added the column public\.users\.c\d+/);
  const fails = await run(url, psql('ALTER TABLE users ADD COLUMN email text'));
  t.like(fails, { outcome: 'failed', fault: 'not_repeatable' });
});

test('a command that fails is an outcome, and what it made is told', async (t) => {
  const url = await database();
  const result = await run(url, psql('CREATE TABLE extra (id int)', 'SELECT 1/0'));
  t.like(result, { outcome: 'failed', fault: 'command_failed', attempts: 1 });
  t.deepEqual(
    result.changes.map(({ name }) => name),
    ['public.extra'],
  );
  t.deepEqual(await leftIn(url), []);
});

const show = `SELECT current_setting('lock_timeout') || ' ' || current_setting('statement_timeout') || ' ' ||
  current_setting('idle_in_transaction_session_timeout') || ' ' || current_user || ' ' || session_user AS said`;

test('limits bind psql, node-postgres, and clients that read no variable of PostgreSQL; what they make belongs to the account', async (t) => {
  const url = await database();
  const limits = { ...fast, lockTimeoutMs: 1_234, statementTimeoutMs: 56_000, idleMs: 7_000 };
  const expected = /1234ms 56s 7s sluice sluice_migrate_\d+/;
  const said: string[] = [];
  const noted =
    (inner: RunCommand): RunCommand =>
    async (given) => {
      const end = await inner(given);
      said.push(end.output);
      return end;
    };
  const program = `console.log((await client.query(${JSON.stringify(show)})).rows[0].said); await client.query('CREATE TABLE IF NOT EXISTS n (id int)')`;
  await run(url, noted(psql(show, 'CREATE TABLE IF NOT EXISTS p (id int)')), { limits });
  await run(url, noted(nodeProgram(program)), { limits });
  const blind: RunCommand = (given) =>
    nodeProgram(program)({ ...given, env: { DATABASE_URL: given.url, PGOPTIONS: '', PGAPPNAME: '' } });
  await run(url, noted(blind), { limits });
  t.is(said.length, 6);
  for (const text of said) t.regex(text, expected);
  const owners = await server.query(
    "SELECT DISTINCT tableowner FROM pg_tables WHERE tablename IN ('n', 'p')",
    nameOf(url),
  );
  t.deepEqual(owners, [{ tableowner: 'sluice' }]);
});

test('settings of the account hold for the command too', async (t) => {
  const url = await database();
  await server.query(
    `CREATE SCHEMA app; ALTER ROLE sluice IN DATABASE ${nameOf(url)} SET search_path = app, "$user"`,
    nameOf(url),
  );
  const result = await run(url, psql('CREATE TABLE IF NOT EXISTS things (id int)'));
  t.deepEqual(
    result.changes.map(({ name }) => name),
    ['app.things'],
  );
});

test('an account that may make no role gets limits by PGOPTIONS, and its other sessions are left alone', async (t) => {
  const url = await database();
  await server.query(`CREATE ROLE plain LOGIN PASSWORD 'plain'; GRANT ALL ON SCHEMA public TO plain`, nameOf(url));
  const plain = new URL(url);
  plain.username = 'plain';
  plain.password = 'plain';
  const application = await holder(t, plain.href, 'SELECT 1');
  let said = '';
  const result = await run(plain.href, async (given) => {
    const end = await psql(show, 'CREATE TABLE IF NOT EXISTS own (id int)')(given);
    said = end.output;
    return end;
  });
  t.like(result, { outcome: 'succeeded', account: 'by-name' });
  t.regex(said, /300ms 10min 1min plain plain/);
  t.is((await application.query('SELECT 1')).rowCount, 1);
});

test('a dedicated account is bound itself, and all its sessions end, whatever they call themselves', async (t) => {
  const url = await database();
  await server.query(`CREATE ROLE migrator LOGIN PASSWORD 'm'; GRANT ALL ON SCHEMA public TO migrator`, nameOf(url));
  const own = new URL(url);
  own.username = 'migrator';
  own.password = 'm';
  const orphan = await holder(t, own.href, 'SELECT 1');
  let said = '';
  const blind =
    (body: string): RunCommand =>
    (given) =>
      nodeProgram(body)({ ...given, env: { DATABASE_URL: own.href } });
  const result = await run(
    own.href,
    async (given) => {
      const end = await blind(`console.log((await client.query(${JSON.stringify(show)})).rows[0].said)`)(given);
      said = end.output;
      return end;
    },
    { dedicated: true },
  );
  t.like(result, { outcome: 'succeeded', account: 'dedicated', leftovers: 1 });
  t.regex(said, /300ms 10min 1min migrator migrator/);
  await t.throwsAsync(orphan.query('SELECT 1'));
  const stop = new AbortController();
  const deaf = blind("process.on('SIGTERM', () => {}); await client.query('SELECT pg_sleep(60)')");
  const running = run(own.href, deaf, { dedicated: true, signal: stop.signal });
  await waitFor(() => isBusy(url, "query LIKE 'SELECT pg_sleep(60)%'"));
  stop.abort();
  t.is((await t.throwsAsync<SluiceError>(running)).code, 'ERR_ABORTED');
  t.deepEqual(await leftIn(url), []);
});

test('no password of the command stands in a statement or in the list of processes', async (t) => {
  const url = await server.database();
  let password = 'none';
  const seen: string[] = [];
  await run(url, async (given) => {
    password = new URL(given.url).password;
    const ours = `application_name LIKE 'sluice-migrate%' AND datname = '${nameOf(url)}'`;
    const rows = await server.query(`SELECT query FROM pg_stat_activity WHERE ${ours}`);
    seen.push(...rows.map(({ query }) => String(query)));
    return psql('SELECT 1')(given);
  });
  t.true(password.length > 20);
  t.true(seen.length > 0);
  t.false(seen.some((text) => text.includes(password)));
});

test('a lock that a long transaction holds is tried for again with pauses, then given up with its holder named', async (t) => {
  const url = await database();
  await holder(t, url);
  const result = await run(url, psql('ALTER TABLE users ADD COLUMN IF NOT EXISTS email text'));
  t.like(result, { outcome: 'failed', fault: 'lock_timeout', attempts: 3 });
  t.regex(
    result.message ?? '',
    /could not get a lock in 3 attempts\. In the way: pid \d+ \(sluice, report, idle in transaction for \d+ s\): LOCK TABLE users/,
  );
  t.like(result.blockers[0], { application: 'report' });
  t.deepEqual(await leftIn(url), []);
});

test('a lock that comes free between attempts is got', async (t) => {
  const url = await database();
  const client = await holder(t, url);
  let runs = 0;
  const result = await run(url, async (given) => {
    runs += 1;
    if (runs === 2) await client.query('ROLLBACK');
    return nodeProgram("await client.query('ALTER TABLE users ADD COLUMN IF NOT EXISTS email text')")(given);
  });
  t.like(result, { outcome: 'succeeded', attempts: 2 });
  t.is(runs, 3);
});

test('a mistake of another kind is not tried again', async (t) => {
  const url = await database();
  const result = await run(url, psql('ALTER TABLE nobody ADD COLUMN email text'));
  t.like(result, { fault: 'command_failed', attempts: 1 });
});

test('two migrations at once: one waits for the other, and says whom it waits for when that takes too long', async (t) => {
  const url = await database();
  const slow = run(url, psql('SELECT pg_sleep(3)', 'CREATE TABLE IF NOT EXISTS one (id int)'));
  await waitFor(() => isBusy(url, "query LIKE 'SELECT pg_sleep(3)%'"));
  const error = await t.throwsAsync<SluiceError>(run(url, psql('CREATE TABLE two (id int)')));
  t.is(error.code, 'ERR_CONFLICT');
  t.regex(error.message, /Another migration of this database is under way.*pid \d+ \(sluice, sluice-migrate-lock/);
  const patient = await run(url, psql('CREATE TABLE IF NOT EXISTS two (id int)'), {
    limits: { ...fast, waitMs: 60_000 },
  });
  t.is((await slow).outcome, 'succeeded');
  t.deepEqual(
    patient.changes.map(({ name }) => name),
    ['public.two'],
  );
});

test('cancelled while its DDL waits behind a transaction, nothing of it is left and the table is free', async (t) => {
  const url = await database();
  const client = await holder(t, url);
  const stop = new AbortController();
  const limits = { ...fast, lockTimeoutMs: 600_000 };
  const cancelled = run(url, psql('ALTER TABLE users ADD COLUMN email text'), { signal: stop.signal, limits });
  await waitFor(() => isBusy(url, "wait_event_type = 'Lock'"));
  stop.abort();
  const error = await t.throwsAsync<SluiceError>(cancelled);
  t.is(error.code, 'ERR_ABORTED');
  t.deepEqual(await leftIn(url), []);
  await server.query('SELECT count(*) FROM users', nameOf(url));
  await client.query('ROLLBACK');
  t.is((await run(url, psql('ALTER TABLE users ADD COLUMN IF NOT EXISTS email text'))).outcome, 'succeeded');
});

test('a command that does not heed its signal loses its sessions all the same', async (t) => {
  const url = await database();
  const stop = new AbortController();
  const limits = { ...fast, statementTimeoutMs: 60_000 };
  const deaf: RunCommand = (given) =>
    command(
      'sh',
      '-c',
      'trap "" TERM; psql -X -c "SELECT pg_sleep(60)"',
    )({ ...given, signal: new AbortController().signal });
  const cancelled = run(url, deaf, { signal: stop.signal, limits });
  await waitFor(() => isBusy(url, "query LIKE 'SELECT pg_sleep(60)%'"));
  stop.abort();
  t.is((await t.throwsAsync<SluiceError>(cancelled)).code, 'ERR_ABORTED');
  t.deepEqual(await leftIn(url), []);
});

test('a command that connects again whenever its session is ended does not get in any more', async (t) => {
  const url = await database();
  const stop = new AbortController();
  const stubborn = nodeProgram(`process.on('SIGTERM', () => {});
    const insist = async () => {
      for (let refused = 0; refused < 3; ) {
        const again = new pg.Client(process.env.DATABASE_URL);
        again.on('error', () => {});
        await again.connect().then(() => again.query('SELECT pg_sleep(60)').catch(() => {}), () => (refused += 1));
      }
    };
    await Promise.all(Array.from({ length: 10 }, insist));`);
  const running = run(url, stubborn, { signal: stop.signal });
  await waitFor(() => isBusy(url, "query LIKE 'SELECT pg_sleep(60)%'"));
  stop.abort();
  t.is((await t.throwsAsync<SluiceError>(running)).code, 'ERR_ABORTED');
  t.deepEqual(await leftIn(url), []);
});

test('a migration that takes longer than its deadline is an outcome, and its sessions end', async (t) => {
  const url = await database();
  const result = await run(url, psql('SELECT pg_sleep(100)'), {
    limits: { ...fast, deadlineMs: 10_000 },
  });
  t.like(result, { outcome: 'failed', fault: 'deadline' });
  t.deepEqual(await leftIn(url), []);
});

/** A migration in a process of its own that is killed once its statement is busy like this; its psql lives on. */
async function killedOver(url: string, statement: string, condition: string): Promise<void> {
  const script = fileURLToPath(new URL('migrate-child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, url, statement], { stdio: 'ignore' });
  await waitFor(() => isBusy(url, condition));
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const orphans = "application_name LIKE 'sluice\\_migrate%' AND query LIKE '%orphan%'";

test('killed while its DDL waits: the next migration ends the sessions it left, and succeeds', async (t) => {
  const url = await database();
  const client = await holder(t, url);
  // Without a lock timeout the orphan would wait for ever, and everybody behind it.
  const statement = 'SET lock_timeout = 0; ALTER TABLE users ADD COLUMN orphan text';
  await killedOver(url, statement, `${orphans} AND wait_event_type = 'Lock'`);
  t.true(await isBusy(url, orphans));
  const next = run(url, psql('ALTER TABLE users ADD COLUMN IF NOT EXISTS email text'), {
    limits: { ...fast, attempts: 100, waitMs: 30_000 },
  });
  await waitFor(async () => !(await isBusy(url, orphans)));
  await client.query('ROLLBACK');
  const result = await next;
  t.like(result, { outcome: 'succeeded', leftovers: 1 });
  t.deepEqual(
    result.changes.map(({ name }) => name),
    ['public.users.email'],
  );
  t.deepEqual(await leftIn(url), []);
});

test('killed in the middle of its DDL: the table is free again with the next migration, and nothing half done is left', async (t) => {
  const url = await database();
  const statement = 'BEGIN; ALTER TABLE users ADD COLUMN orphan text; SELECT pg_sleep(100); COMMIT';
  await killedOver(url, statement, `${orphans} AND wait_event = 'PgSleep'`);
  t.true(await isBusy(url, orphans));
  const result = await run(url, psql('ALTER TABLE users ADD COLUMN IF NOT EXISTS email text'), {
    limits: { ...fast, waitMs: 30_000 },
  });
  t.like(result, { outcome: 'succeeded', leftovers: 1, attempts: 1 });
  t.deepEqual(
    result.changes.map(({ name }) => name),
    ['public.users.email'],
  );
  t.deepEqual(await leftIn(url), []);
});

test('under the load of writers a migration goes through, and no write fails', async (t) => {
  const url = await database();
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  let busy = true;
  let writes = 0;
  const failures: unknown[] = [];
  const writer = async (): Promise<void> => {
    while (busy) {
      await pool.query("INSERT INTO users (name) VALUES ('w')").then(
        () => (writes += 1),
        (error: unknown) => failures.push(error),
      );
    }
  };
  const writers = [writer(), writer(), writer(), writer()];
  const steps = [
    'ALTER TABLE users ADD COLUMN IF NOT EXISTS seen timestamptz DEFAULT now()',
    'CREATE INDEX CONCURRENTLY IF NOT EXISTS users_seen ON users (seen)',
  ];
  const result = await run(url, psql(...steps), { limits: { ...fast, lockTimeoutMs: 2_000 } });
  const during = writes;
  busy = false;
  await Promise.all(writers);
  await pool.end();
  t.is(result.outcome, 'succeeded');
  t.deepEqual(failures, []);
  t.true(during > 20);
});

test('an index that was left invalid fails the migration, also when the tool is content', async (t) => {
  const url = await database();
  await server.query("INSERT INTO users (name) VALUES ('1')", nameOf(url));
  const build = 'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_name ON users (name)';
  t.like(await run(url, psql(build)), { outcome: 'failed', fault: 'command_failed' });
  const result = await run(url, psql(build));
  t.like(result, { outcome: 'failed', fault: 'invalid_index' });
  t.regex(result.message ?? '', /public\.users\.users_name/);
});

test('a lock session that is ended from outside stops the command, and its sessions end', async (t) => {
  const url = await database();
  const running = run(url, psql('SELECT pg_sleep(60)'));
  const lock =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice-migrate-lock' AND datname = current_database()";
  await waitFor(() => isBusy(url, "query LIKE 'SELECT pg_sleep(60)%'"));
  await server.query(lock, nameOf(url));
  t.is((await t.throwsAsync<SluiceError>(running)).code, 'ERR_SERVICE');
  t.deepEqual(await leftIn(url), []);
});

/** Whether a session of the database is like this. */
async function isBusy(url: string, condition: string): Promise<boolean> {
  const text = `SELECT 1 FROM pg_stat_activity WHERE datname = '${nameOf(url)}' AND ${condition}`;
  return (await server.query(text)).length > 0;
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('it did not happen in 60 s');
    await sleep(20);
  }
}
