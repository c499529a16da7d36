import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { startSupervisor } from '../environments/local/supervisor-fixture.ts';
import type { TestSupervisor } from '../environments/local/supervisor-fixture.ts';
import { SluiceError } from '../model/errors.ts';
import { MigrationBackend } from './migration-fixture.ts';
import { readMigration } from './records.ts';

const orders = 'CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, note text);\n';

let supervisor: TestSupervisor;
test.before(async () => {
  supervisor = await startSupervisor();
});
test.after.always(() => supervisor.remove());

let count = 0;

/** A backend with one release in production, which has the table `orders`. */
async function liveBackend(t: ExecutionContext): Promise<MigrationBackend> {
  const backend = await MigrationBackend.open(supervisor, `shop-${(count += 1)}`);
  t.teardown(() => backend.close());
  const first = await backend.commit(orders);
  t.regex((await first.operate('copy-schema')).log, /production has no tables yet/);
  t.is((await first.operate('migrate-testing')).outputs['locks'], '[]');
  await first.promote();
  return backend;
}

/** Production with so many rows that a lock on them lasts. */
async function largeBackend(t: ExecutionContext): Promise<MigrationBackend> {
  const backend = await liveBackend(t);
  await backend.query(
    'production',
    "INSERT INTO orders SELECT i, 'n' FROM generate_series(1, 120000) i; ANALYZE orders",
  );
  return backend;
}

async function refused(t: ExecutionContext, work: Promise<unknown>): Promise<string> {
  const error = await t.throwsAsync(work, { instanceOf: SluiceError });
  t.is(error.code, 'ERR_GATE');
  return error.message;
}

const columns = (backend: MigrationBackend, environment: 'testing' | 'production') =>
  backend
    .query(environment, "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0")
    .then((rows) => rows.map(({ name }) => name));

test.serial(
  'R000-14: a migration is tried on a copy of the schema of production, which tells its locks and stays as it was',
  async (t) => {
    const backend = await largeBackend(t);
    const commit = await backend.commit(`${orders} ALTER TABLE orders ADD COLUMN IF NOT EXISTS paid boolean;`);
    const { outputs, log } = await commit.migrate();
    t.like(outputs, { change: 'expand' });
    const [lock, ...others] = JSON.parse(outputs['locks'] ?? '') as readonly { readonly bytes: number }[];
    t.deepEqual(others, []);
    t.like(lock, {
      table: 'public.orders',
      mode: 'AccessExclusiveLock',
      rewritten: false,
      rows: 120_000,
      large: true,
    });
    t.true((lock?.bytes ?? 0) > 1_000_000, 'of production, and not of the testing database');
    t.regex(log, /on a copy of the schema of production:\n(.*\n)* {2}ALTER TABLE public\.orders, \d+ ms without rows/);
    t.deepEqual(await columns(backend, 'production'), ['id', 'note']);
    t.deepEqual(await columns(backend, 'testing'), ['id', 'note', 'paid']);
    t.like(await readMigration(backend.site, commit.run), { tables: ['public.orders'] });
    const scratch = "SELECT datname FROM pg_database WHERE datname LIKE 'sluice\\_%'";
    t.deepEqual(await backend.query('testing', scratch), []);
  },
);

test.serial(
  'a lock that lasts as long as the rows of a large table take is refused before testing is touched, unless it is accepted',
  async (t) => {
    const backend = await largeBackend(t);
    const index = await backend.commit(`${orders} CREATE INDEX IF NOT EXISTS orders_note ON orders (note);`);
    t.regex(await refused(t, index.migrate()), /public\.orders is large and gets an index .*ShareLock/);
    t.deepEqual(await backend.query('testing', "SELECT 1 FROM pg_indexes WHERE indexname = 'orders_note'"), []);
    const accepted = await index.migrate({ long_locks: 'accept' });
    t.like(accepted.outputs, { change: 'expand' });
    t.regex(accepted.log, /large: public\.orders .*for as long as its rows take/);
    const filled = await backend.commit(
      `${orders} ALTER TABLE orders ADD COLUMN IF NOT EXISTS at timestamptz DEFAULT clock_timestamp();`,
    );
    t.regex(await refused(t, filled.migrate()), /is written anew while others wait.*AccessExclusiveLock/);
  },
);

test.serial('a tool whose bookkeeping nobody knows finds in the copy what it remembers', async (t) => {
  const backend = await liveBackend(t);
  const remembering = (name: string, sql: string): string =>
    `CREATE TABLE IF NOT EXISTS my_books (name text); SELECT NOT EXISTS (SELECT FROM my_books WHERE name = '${name}') AS fresh \\gset
     \\if :fresh\n${sql}; INSERT INTO my_books VALUES ('${name}');\n\\endif\n`;
  const a = remembering('a', 'CREATE TABLE bills (id int)');
  const first = await backend.commit(orders + a);
  await first.migrate();
  await first.promote();
  const second = await backend.commit(orders + a + remembering('b', 'ALTER TABLE bills ADD COLUMN b int'));
  t.like((await second.migrate()).outputs, { change: 'expand' });
  await second.promote();
});

test.serial('what the live release may not survive is found on the copy', async (t) => {
  const backend = await liveBackend(t);
  const commit = await backend.commit(`${orders} ALTER TABLE orders DROP COLUMN IF EXISTS note;`);
  t.regex(await refused(t, commit.migrate()), /of the class contract/);
  t.deepEqual(await columns(backend, 'testing'), ['id', 'note']);
  t.like((await commit.migrate({ phase: 'contract' })).outputs, { change: 'contract' });
});

test.serial(
  'a production that somebody changed by hand stops the migration before production is touched',
  async (t) => {
    const backend = await liveBackend(t);
    const next = `${orders} ALTER TABLE orders ADD COLUMN IF NOT EXISTS paid boolean;`;
    await backend.query('production', 'ALTER TABLE orders ADD COLUMN by_hand int');
    t.regex(
      await refused(t, (await backend.commit(next)).migrate()),
      /another schema than the one that is tested: column public\.orders\.by_hand is added there/,
    );
    await backend.query('production', 'ALTER TABLE orders DROP COLUMN by_hand; ALTER TABLE orders ADD COLUMN paid int');
    const failing = await backend.commit(`${orders} ALTER TABLE orders ADD COLUMN paid boolean;`);
    t.regex(await refused(t, failing.migrate()), /fails on the schema of production with exit code \d/);
    t.deepEqual(await columns(backend, 'testing'), ['id', 'note']);
  },
);

test.serial('SQL is judged by the sizes that the tables of production have', async (t) => {
  const backend = await largeBackend(t);
  const files = { 'migrations/1.sql': 'CREATE INDEX orders_note ON orders (note);' };
  const commit = await backend.commit(orders, files);
  t.regex(await refused(t, commit.migrate({ tool: 'sql' })), /must not run beside the live release: 1 problems/);
});

test.serial('without a dry run nothing is copied, and SQL is judged as if every table were large', async (t) => {
  const backend = await liveBackend(t);
  const wish = { inputs: { dry_run: 'none', tool: 'sql' }, programs: '/nowhere' };
  const files = { 'migrations/1.sql': 'CREATE INDEX orders_note ON orders (note);' };
  const index = await backend.commit(orders, files);
  t.regex(await refused(t, index.operate('migrate-testing', wish)), /must not run beside the live release: 1 problems/);
  const column = await backend.commit(`${orders} ALTER TABLE orders ADD COLUMN IF NOT EXISTS paid boolean;`);
  const { outputs, log } = await column.operate('migrate-testing', { ...wish, inputs: { dry_run: 'none' } });
  t.like(outputs, { change: 'expand' });
  t.notRegex(log, /schema of production/);
});

const sessionsOf = (backend: MigrationBackend) =>
  backend.query(
    'production',
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename LIKE '%\\_migrator'",
  );

test.serial('a migration of production that is cancelled leaves no session behind, and none comes back', async (t) => {
  const backend = await liveBackend(t);
  // In production it sleeps in a transaction with a lock, and tries again when its session is ended.
  const script = `psql -X -q -f migrate.sql "$DATABASE_URL"
    [ "$SLUICE_ENVIRONMENT" = testing ] || while true; do psql -X -q "$DATABASE_URL" -c 'BEGIN; LOCK TABLE orders; SELECT pg_sleep(60)'; sleep 0.1; done`;
  const commit = await backend.commit(`${orders} ALTER TABLE orders ADD COLUMN IF NOT EXISTS paid boolean;`);
  await commit.migrate({ run: script });
  await commit.operate('check-release', { inputs: { way_back: 'none' } });
  const stop = new AbortController();
  const running = t.throwsAsync(commit.operate('prepare-production', { signal: stop.signal }), {
    instanceOf: SluiceError,
  });
  while (!(await sessionsOf(backend)).length) await sleep(50);
  await sleep(500);
  stop.abort();
  t.is((await running).code, 'ERR_ABORTED');
  t.deepEqual(await sessionsOf(backend), []);
  await sleep(1_000);
  t.deepEqual(await sessionsOf(backend), []);
  const next = await backend.commit(`${orders} ALTER TABLE orders ADD COLUMN IF NOT EXISTS paid boolean;`);
  await next.migrate();
  await next.promote();
  t.deepEqual(await columns(backend, 'production'), ['id', 'note', 'paid']);
});
