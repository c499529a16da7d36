import { backendTest, stepOf, TestBackend, verdicts } from './test-backend.ts';
import type { BackupRecord } from '../../runner/gates/backups.ts';

/** Adds a column, as it should, and ruins what users wrote, which no rule sees. */
const ruinous = "ALTER TABLE tasks ADD COLUMN done boolean;\nUPDATE tasks SET title = 'lost' WHERE id > 0;\n";

async function passwordOf(backend: TestBackend, secret: string): Promise<string> {
  const encoded = await backend.kubectl(['get', 'secret', secret, '-o', 'jsonpath={.data.password}']);
  return Buffer.from(encoded, 'base64').toString();
}

backendTest(
  'R004-8, E15: production is backed up before it is migrated, the backup is restored once, and a person puts it in the place of what was ruined',
  async (t) => {
    const backend = await TestBackend.open(t, 'node');
    const first = await backend.run();
    t.is(first.outcome, 'succeeded', verdicts(first));
    t.is(stepOf(first, 'promote').outputs['backup'], '', 'there was nothing to back up');
    t.is((await backend.ask('/tasks', { method: 'POST', body: '{"title":"ship"}' })).status, 201);

    await backend.commit({
      'schema/002-done.sql': ruinous,
      'migrate.js': `${backend.read('migrate.js')}\nconsole.log('finds ' + process.env.DATABASE_URL);\n`,
    });
    const second = await backend.run();
    t.is(second.outcome, 'succeeded', verdicts(second));
    t.deepEqual(JSON.parse((await backend.ask('/tasks')).body), [{ id: 1, title: 'lost', done: null }]);

    // Before production was touched, the migration was tried on a copy of its schema.
    const applied = await backend.log(second.runId, 'migrate/apply');
    t.regex(applied, /on a copy of the schema of production:\n(.*\n)* {2}ALTER TABLE public\.tasks/);
    const locks = JSON.parse(stepOf(second, 'migrate').outputs['locks'] ?? '') as readonly object[];
    t.like(locks, [{ table: 'public.tasks', mode: 'AccessExclusiveLock', rewritten: false, large: false }]);

    // On record with digest, size and time.
    const [backup, ...others] = (await backend.record<readonly BackupRecord[]>('backups')) ?? [];
    t.deepEqual(others, []);
    if (backup === undefined) return t.fail();
    const { name, bytes, sha256, takenAt } = backup;
    t.is(stepOf(second, 'promote').outputs['backup'], name);
    t.like(await backend.production(), { live: 'r2', promotion: { backup: { name, bytes, sha256, takenAt } } });
    const prepared = await backend.log(second.runId, 'promote/prepare');
    t.true(prepared.indexOf('restored with the same 2 tables') < prepared.indexOf('applied 002-done.sql'), prepared);

    // Nobody reads the password of a database in a log.
    for (const [log, secret] of [
      [applied, 'test-db-migrator'],
      [prepared, 'db-migrator'],
    ] as const) {
      t.regex(log, /finds postgres:\/\/migrator:\*\*\*@(test-)?db:5432\/app/);
      t.false(log.includes(await passwordOf(backend, secret)), secret);
    }

    // By hand: listed, refused for the release that is live, and put in place when that is wanted.
    const listed = await backend.begin('database', 'backups', backend.name).refusal();
    t.like(JSON.parse(listed), { backups: [{ name, bytes, sha256, tables: 2, rows: 2 }] });
    t.regex(await backend.begin('database', 'restore', 'kube-system', name).refusal(), /there is no backend/);
    const restore = ['database', 'restore', backend.name, name] as const;
    t.regex(await backend.begin(...restore).refusal(), /was not restored: production is as it was/);
    t.regex((await backend.ask('/tasks')).body, /"title":"lost"/);
    t.regex(await backend.begin(...restore, '--force').refusal(), new RegExp(`"restored":"${name}"`));
    t.deepEqual(JSON.parse((await backend.ask('/tasks')).body), [{ id: 1, title: 'ship' }]);

    // The next commit goes on from there.
    await backend.commit({ 'schema/002-done.sql': 'ALTER TABLE tasks ADD COLUMN done boolean;\n' });
    const third = await backend.run();
    t.is(third.outcome, 'succeeded', verdicts(third));
    t.deepEqual(JSON.parse((await backend.ask('/tasks')).body), [{ id: 1, title: 'ship', done: null }]);
  },
);
