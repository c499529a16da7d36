import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { openLaptop, verdicts } from './test-laptop.ts';
import type { Listed } from './test-laptop.ts';

test.serial(
  'a laptop without a cluster takes commits through all five gates, and takes back what does not hold',
  async (t) => {
    t.timeout(600_000);
    const laptop = openLaptop(t);
    const pipeline = readFileSync(join(laptop.repository, 'sluice.yaml'), 'utf8').replace('${BACKEND}', 'tasks');
    const server = readFileSync(join(laptop.repository, 'server.js'), 'utf8');
    await laptop.git('init', '-q', '-b', 'main');

    const first = await laptop.push({ 'sluice.yaml': pipeline });
    t.is(first.outcome, 'succeeded', verdicts(first));
    t.is(await laptop.ask('production', '/tasks'), 'r1 []', 'what the tests wrote is not in production');
    t.regex(await laptop.ask('testing', '/tasks'), /^r1 \[\{/);

    const column = 'ALTER TABLE tasks ADD COLUMN IF NOT EXISTS done boolean;\n';
    const migrate = readFileSync(join(laptop.repository, 'migrate.js'), 'utf8');
    const second = await laptop.push({
      'schema/002-done.sql': column,
      'migrate.js': `${migrate}\nconsole.log('finds ' + process.env.DATABASE_URL);\n`,
    });
    t.is(second.outcome, 'succeeded', verdicts(second));
    t.is(await laptop.ask('production', '/tasks'), 'r2 []');
    const said = await laptop.sluice('logs', 'latest');
    t.regex(said, /on a copy of the schema of production/);
    t.regex(said, /finds postgres:\/\/tasks_testing_migrator:\*\*\*@127/);
    t.regex(said, /finds postgres:\/\/tasks_production_migrator:\*\*\*@127/);

    const { backups } = JSON.parse(await laptop.sluice('database', 'backups', 'tasks', '--json')) as {
      readonly backups: readonly { readonly name: string; readonly tables: number }[];
    };
    t.like(backups, [{ tables: 2 }]);
    const [backup = ''] = backups.map(({ name }) => name);
    t.regex(backup, /^r2-/);
    const restored = JSON.parse(
      await laptop.sluice('database', 'restore', 'tasks', backup, '--force', '--json'),
    ) as object;
    t.deepEqual(restored, { restored: backup });
    t.is(await laptop.ask('production', '/tasks'), 'r2 []');

    const faulty = server.replace(
      '[200, { healthy: true }]',
      '[process.env.SLUICE_ENVIRONMENT === "production" && process.uptime() > 2 ? 500 : 200, {}]',
    );
    t.not(faulty, server);
    const third = await laptop.push({ 'server.js': faulty });
    t.is(third.outcome, 'failed', verdicts(third));
    t.regex(await laptop.ask('production', '/tasks'), /^r2 /);

    const listed = JSON.parse(await laptop.sluice('environments', 'list', '--json')) as Listed;
    t.like(
      listed.environments.find(({ environment }) => environment === 'production'),
      { routed: 'r2' },
    );
    await laptop.sluice('environments', 'stop');
    t.deepEqual(JSON.parse(await laptop.sluice('environments', 'list', '--json')), {
      running: false,
      environments: [],
    });
  },
);
