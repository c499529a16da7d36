import { fallsIllInProduction, needsOwner } from './faulty-servers.ts';
import { backendTest, decided, stepOf, TestBackend, verdicts } from './test-backend.ts';
import type { Changes } from './test-backend.ts';
import { Traffic } from './traffic.ts';

/** Keeps its books as golang-migrate does, so that the gate knows which files are still to be applied, and judges them. */
const migrateProgram = `import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await client.query('BEGIN');
await client.query('CREATE TABLE IF NOT EXISTS schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)');
const { rows } = await client.query('SELECT version FROM schema_migrations');
for (const name of readdirSync('migrations').toSorted()) {
  if (parseInt(name) <= Number(rows[0]?.version ?? 0)) continue;
  await client.query(readFileSync('migrations/' + name, 'utf8'));
  await client.query('DELETE FROM schema_migrations');
  await client.query('INSERT INTO schema_migrations VALUES ($1, false)', [parseInt(name)]);
  console.log('applied ' + name);
}
await client.query('COMMIT');
await client.end();
`;

const withFiles: Changes = {
  'migrate.js': migrateProgram,
  'schema/001-tasks.sql': undefined,
  'migrations/1_tasks.up.sql': 'CREATE TABLE tasks (id bigserial PRIMARY KEY, title text NOT NULL);\n',
};

const dropsTitle = '-- Nobody reads it any more.\nALTER TABLE tasks DROP COLUMN title;\n';
const addsDone = 'ALTER TABLE tasks ADD COLUMN done boolean NOT NULL DEFAULT false;\n';
/** Adds only, by its grammar; what it does shows when somebody writes who does not know of it. */
const wantsOwner = `ALTER TABLE tasks ADD COLUMN owner text;
CREATE FUNCTION want_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.owner IS NULL THEN RAISE EXCEPTION 'a task needs an owner'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER want_owner BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION want_owner();
`;

backendTest(
  'E4, R000-14, R004-11: a migration that the live release would not survive is refused with reason and place; one that it survives is proven by its tests, and leaves a way back',
  async (t) => {
    const backend = await TestBackend.open(t, 'node', withFiles);
    const first = await backend.run();
    t.is(first.outcome, 'succeeded', verdicts(first));
    t.is((await backend.ask('/tasks', { method: 'POST', body: '{"title":"ship"}' })).status, 201);
    const traffic = new Traffic(backend, '/tasks');
    t.teardown(() => traffic.stop());
    const good = backend.read('server.js');

    // By its grammar, before anything is run.
    await backend.commit({ 'migrations/2_title.up.sql': dropsTitle });
    const unsafe = await backend.run();
    t.like(decided(unsafe), { outcome: 'failed', step: 'migrate/apply', reason: 'gate_refused' });
    t.regex(
      await backend.log(unsafe.runId, 'migrate/apply'),
      /migrations\/2_title\.up\.sql:2:13 Live code may still use public\.tasks\.title.* \[drop-column\]/,
    );
    t.is(stepOf(unsafe, 'deploy-test/deploy').outcome, 'skipped');

    // By the tests of the live release on the new schema.
    await backend.commit({
      'migrations/2_title.up.sql': undefined,
      'migrations/2_owner.up.sql': wantsOwner,
      'server.js': needsOwner(good),
    });
    const fatal = await backend.run();
    t.is(stepOf(fatal, 'run-tests/record').outcome, 'succeeded', verdicts(fatal));
    t.deepEqual(decided(fatal), {
      outcome: 'failed',
      step: 'run-tests/live',
      reason: 'gate_refused',
      message: 'the tests of r1, which is live, fail on the new schema with exit code 1',
    });
    t.is((await backend.production()).migrated, 'r1');

    // Proven by those tests, and then a release that does not hold: code goes back, the schema stays.
    await backend.commit({
      'migrations/2_owner.up.sql': undefined,
      'migrations/2_done.up.sql': addsDone,
      'server.js': fallsIllInProduction(good),
    });
    const bad = await backend.run();
    t.regex(await backend.log(bad.runId, 'run-tests/live'), /r1, which is live, passes its tests on the new schema/);
    t.like(decided(bad), { outcome: 'failed', step: 'promote/confirm' });
    t.like(await backend.production(), { live: 'r1', migrated: 'r4', promotion: { state: 'rolled-back' } });
    t.is((await backend.evidence('r1'))?.schemas.length, 2);
    t.is((await backend.ask('/tasks', { method: 'POST', body: '{"title":"rest"}' })).status, 201);
    const answer = await backend.ask('/tasks');
    t.is(answer.release, 'r1');
    t.deepEqual(JSON.parse(answer.body), [
      { id: '1', title: 'ship', done: false },
      { id: '2', title: 'rest', done: false },
    ]);

    await traffic.stop();
    t.deepEqual(traffic.failed, []);
    t.deepEqual(traffic.releases, ['r1', 'r4', 'r1']);
  },
);
