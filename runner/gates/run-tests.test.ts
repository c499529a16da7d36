import test from 'ava';
import { startSupervisor } from '../environments/local/supervisor-fixture.ts';
import type { TestSupervisor } from '../environments/local/supervisor-fixture.ts';
import { SluiceError } from '../model/errors.ts';
import { MigrationBackend } from './migration-fixture.ts';
import { evidenceOf, readMigration } from './records.ts';

let supervisor: TestSupervisor;
test.before(async () => {
  supervisor = await startSupervisor();
});
test.after.always(() => supervisor.remove());

const tables = 'CREATE TABLE IF NOT EXISTS orders (id int); CREATE TABLE IF NOT EXISTS teams (id int);';

test('E4: counters tell which changed tables the tests of the live release did not touch', async (t) => {
  const backend = await MigrationBackend.open(supervisor, 'shop');
  t.teardown(() => backend.close());
  const first = await backend.commit(tables);
  await first.migrate();
  await first.promote();
  await backend.passed('r1', first, 'psql "$DATABASE_URL" -c "SELECT * FROM orders"');
  const second = await backend.commit(
    `${tables} ALTER TABLE orders ADD COLUMN IF NOT EXISTS a int; ALTER TABLE teams ADD COLUMN IF NOT EXISTS b int;
     CREATE TABLE IF NOT EXISTS fresh (id int);`,
  );
  await second.migrate();
  const { tables: changed, fingerprint = '' } = (await readMigration(backend.site, second.run)) ?? {};
  t.deepEqual(changed, ['public.orders', 'public.teams'], 'of a table that was not there before r1 knows nothing');

  const refuse = second.operate('prove-live', { inputs: { untouched: 'refuse' } });
  const error = await t.throwsAsync(refuse, { instanceOf: SluiceError });
  t.is(error.code, 'ERR_GATE');
  t.regex(error.message, /the tests of r1 touch nothing of public\.teams, which the migration changed/);
  t.false((await evidenceOf(backend.site, 'r1'))?.schemas.includes(fingerprint), 'there is no way back to r1');

  const { outputs, log } = await second.operate('prove-live');
  t.deepEqual(outputs, { untouched: 'public.teams' });
  t.regex(log, /they prove nothing for that/);
  t.true((await evidenceOf(backend.site, 'r1'))?.schemas.includes(fingerprint));

  await backend.passed('r1', first, 'psql "$DATABASE_URL" -c "SELECT * FROM orders" -c "SELECT * FROM teams"');
  t.deepEqual((await second.operate('prove-live', { inputs: { untouched: 'refuse' } })).outputs, { untouched: '' });
});
