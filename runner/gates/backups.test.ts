import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { startSupervisor } from '../environments/local/supervisor-fixture.ts';
import type { TestSupervisor } from '../environments/local/supervisor-fixture.ts';
import { SluiceError } from '../model/errors.ts';
import { readBackups } from './backups.ts';
import { MigrationBackend } from './migration-fixture.ts';
import type { TestCommit } from './migration-fixture.ts';
import { readProduction } from './production.ts';
import { evidenceOf, recordEvidence } from './records.ts';

let supervisor: TestSupervisor;
test.before(async () => {
  supervisor = await startSupervisor();
});
test.after.always(() => supervisor.remove());

const orders = 'CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, note text);\n';
const withPaid = `${orders} ALTER TABLE orders ADD COLUMN IF NOT EXISTS paid boolean;`;
/** What a person would like to have back. */
const ruinous = `${withPaid} UPDATE orders SET note = 'lost' WHERE note <> 'lost';`;

let count = 0;

/** A backend whose r1 is in production, with three orders. */
async function liveBackend(t: ExecutionContext): Promise<MigrationBackend> {
  const backend = await MigrationBackend.open(supervisor, `shop-${(count += 1)}`);
  t.teardown(() => backend.close());
  const first = await backend.commit(orders);
  await first.migrate();
  t.regex((await first.promote()).log, /there is nothing to back up/);
  await backend.query('production', "INSERT INTO orders SELECT i, 'n' || i FROM generate_series(1, 3) i");
  return backend;
}

async function released(backend: MigrationBackend, sql: string): Promise<TestCommit> {
  const commit = await backend.commit(sql);
  await commit.migrate();
  return commit;
}

async function refused(t: ExecutionContext, work: Promise<unknown>): Promise<SluiceError> {
  const error = await t.throwsAsync(work, { instanceOf: SluiceError });
  t.is(error.code, 'ERR_GATE');
  return error;
}

const notes = async (backend: MigrationBackend) =>
  (await backend.query('production', 'SELECT note FROM orders ORDER BY id')).map(({ note }) => note);
const columns = async (backend: MigrationBackend) =>
  (
    await backend.query(
      'production',
      "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0",
    )
  ).map(({ name }) => name);

test.serial(
  'R004-8, E15: production is backed up before it is migrated, and the backup was restored once',
  async (t) => {
    const backend = await liveBackend(t);
    const { outputs, log } = await (await released(backend, ruinous)).promote();
    const [backup, ...others] = await readBackups(backend.site);
    t.deepEqual(others, []);
    if (backup === undefined) return t.fail();
    t.like(backup, { name: outputs['backup'], run: 'run-2', migrated: 'r1', rows: { 'public.orders': 3 } });
    t.regex(backup.name, /^r2-\d{8}t\d{6}z$/);
    const file = readFileSync(join(backend.backups, `${backup.name}.dump`));
    t.is(createHash('sha256').update(file).digest('hex'), backup.sha256);
    t.is(file.length, backup.bytes);
    t.regex(log, /restored with the same 1 tables/);
    const { production } = await readProduction(backend.site);
    const { name, bytes, sha256, takenAt } = backup;
    t.like(production, { live: 'r2', promotion: { backup: { name, bytes, sha256, takenAt } } });
    t.deepEqual(await notes(backend), ['lost', 'lost', 'lost']);
    const scratch = "SELECT datname FROM pg_database WHERE datname LIKE 'sluice\\_%'";
    t.deepEqual(await backend.query('production', scratch), []);
  },
);

test.serial(
  'E15: a backup takes the place of production, what was there stays beside it, and the next release goes on from there',
  async (t) => {
    const backend = await liveBackend(t);
    const faulty = await released(backend, ruinous);
    const { backup = '' } = (await faulty.promote()).outputs;
    const restore = (fit: string) => faulty.operate('restore-production', { inputs: { backup, fit } });
    t.regex(
      (await refused(t, restore('tested'))).message,
      /the tests of r2, which is live, did not pass on the schema/,
    );
    t.deepEqual(await notes(backend), ['lost', 'lost', 'lost']);
    const { outputs, log } = await restore('any');
    t.regex(log, /1 tables with 3 rows/);
    t.deepEqual(await notes(backend), ['n1', 'n2', 'n3']);
    t.deepEqual(await columns(backend), ['id', 'note']);
    const kept = await backend.query(
      'production',
      `SELECT 1 FROM pg_database WHERE datname = '${outputs['replaced'] ?? ''}'`,
    );
    t.is(kept.length, 1);
    t.is((await readProduction(backend.site)).production.migrated, 'r1');
    // Owners and rights came back too: the app may read, the migrator may change.
    const rights =
      "SELECT tableowner AS owner, has_table_privilege(current_database() || '_app', 'orders', 'SELECT') AS may FROM pg_tables";
    t.like((await backend.query('production', `${rights} WHERE tablename = 'orders'`))[0], { may: true });
    const mending = await released(backend, withPaid);
    await mending.promote();
    t.deepEqual(await columns(backend), ['id', 'note', 'paid']);
    t.deepEqual(await notes(backend), ['n1', 'n2', 'n3']);
  },
);

test.serial('a backup whose schema the live release was tested on needs no more words', async (t) => {
  const backend = await liveBackend(t);
  const next = await released(backend, withPaid);
  const { backup = '' } = (await next.promote()).outputs;
  const [made] = await readBackups(backend.site);
  const evidence = await evidenceOf(backend.site, 'r2');
  if (evidence === undefined || made === undefined) return t.fail();
  await recordEvidence(backend.site, { ...evidence, schemas: [made.fingerprint] });
  await next.operate('restore-production', { inputs: { backup } });
  t.deepEqual(await columns(backend), ['id', 'note']);
});

test.serial(
  'a restore that fails at its last step leaves production and its record as they were; clients that come back at once do not keep it up',
  async (t) => {
    const backend = await liveBackend(t);
    const faulty = await released(backend, ruinous);
    const { backup = '' } = (await faulty.promote()).outputs;
    const restore = (clock?: () => number) =>
      faulty.operate('restore-production', { inputs: { backup, fit: 'any' }, ...(clock && { clock }) });
    const { pathname } = new URL(backend.databases.production.admin);
    await backend.query('testing', `CREATE DATABASE "${pathname.slice(1)}_replaced_20260101000000"`);
    await t.throwsAsync(
      restore(() => Date.UTC(2026, 0, 1)),
      { message: /already exists/ },
    );
    t.deepEqual(await notes(backend), ['lost', 'lost', 'lost']);
    t.is((await readProduction(backend.site)).production.migrated, 'r2');
    const scratch =
      "SELECT datname FROM pg_database WHERE datname LIKE 'sluice\\_%' OR datname LIKE '%production' AND NOT datallowconn";
    t.deepEqual(await backend.query('production', scratch), []);

    const over = new AbortController();
    const asking = (async () => {
      while (!over.signal.aborted) await backend.query('production', 'SELECT pg_sleep(60)').catch(() => undefined);
    })();
    await restore();
    t.deepEqual(await notes(backend), ['n1', 'n2', 'n3']);
    over.abort();
    await backend.query(
      'testing',
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%'",
    );
    await asking;
  },
);

test.serial('a folder of backups that cannot be written is told with its place, and nothing is migrated', async (t) => {
  const backend = await liveBackend(t);
  writeFileSync(backend.backups, 'no folder');
  const commit = await released(backend, withPaid);
  await commit.operate('check-release', { inputs: { way_back: 'none' } });
  const error = await refused(t, commit.operate('prepare-production'));
  t.regex(error.message, /production has no backup: EEXIST/);
  t.true(
    error.hint?.startsWith(`${backend.backups} has to have space and to be written to. Production was not touched`),
  );
  t.deepEqual(await columns(backend), ['id', 'note']);
});

test.serial('without a backup that can be restored nothing is migrated', async (t) => {
  const backend = await liveBackend(t);
  const commit = await released(backend, withPaid);
  await commit.operate('check-release', { inputs: { way_back: 'none' } });
  const error = await refused(t, commit.operate('prepare-production', { programs: '/nowhere' }));
  t.regex(error.message, /production has no backup: pg_dump is not on this machine/);
  t.regex(error.hint ?? '', /postgresql-client.*`backup: none`/s);
  t.deepEqual(await columns(backend), ['id', 'note']);
  t.like((await readProduction(backend.site)).production, { live: 'r1', promotion: { state: 'aborted' } });
  const again = await released(backend, withPaid);
  t.is((await again.promote({ backup: 'none' })).outputs['backup'], '');
  t.deepEqual(await columns(backend), ['id', 'note', 'paid']);
});

test.serial(
  'a backup that rotted takes no place, and one that is not kept is refused with those that are',
  async (t) => {
    const backend = await liveBackend(t);
    const next = await released(backend, withPaid);
    const { backup = '' } = (await next.promote()).outputs;
    writeFileSync(join(backend.backups, `${backup}.dump`), 'rotten');
    const restore = (name: string) => next.operate('restore-production', { inputs: { backup: name, fit: 'any' } });
    t.regex((await refused(t, restore(backup))).message, /is gone, or not what was written/);
    t.regex((await refused(t, restore('r0'))).hint ?? '', new RegExp(backup));
    t.deepEqual(await columns(backend), ['id', 'note', 'paid']);
    const scratch = "SELECT datname FROM pg_database WHERE datname LIKE 'sluice\\_%'";
    t.deepEqual(await backend.query('production', scratch), []);
  },
);

test.serial('the newest backups are kept, on record and on the disk, and what a killed one left goes', async (t) => {
  const backend = await liveBackend(t);
  for (const column of ['a', 'b', 'c']) {
    const commit = await released(backend, `${orders} ALTER TABLE orders ADD COLUMN IF NOT EXISTS ${column} int;`);
    if (column === 'b') writeFileSync(join(backend.backups, 'r2-killed.dump.draft'), '');
    await commit.promote({ keep_backups: '2' });
  }
  const kept = (await readBackups(backend.site)).map(({ name }) => name);
  t.deepEqual(
    kept.map((name) => name.slice(0, 3)),
    ['r4-', 'r3-'],
  );
  t.deepEqual(readdirSync(backend.backups).toSorted(), kept.map((name) => `${name}.dump`).toSorted());
});
