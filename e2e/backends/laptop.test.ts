import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { databaseFolder } from '../../runner/environments/local/database-folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const launcher = join(root, 'runner/launch/sluice.js');
/** What the package `pg` consists of. */
const packages = [
  ...['pg', 'pg-connection-string', 'pg-int8', 'pg-pool', 'pg-protocol', 'pg-types', 'pgpass', 'split2', 'xtend'],
  ...['postgres-array', 'postgres-bytea', 'postgres-date', 'postgres-interval'],
];

interface Report {
  readonly outcome: string;
  readonly steps: readonly { readonly id: string; readonly outcome: string; readonly message?: string }[];
}

interface Listed {
  readonly running: boolean;
  readonly environments: readonly {
    readonly environment: string;
    readonly name: string;
    readonly routed?: string;
    readonly releases: readonly { readonly release: string; readonly state: string }[];
  }[];
}

interface Laptop {
  readonly repository: string;
  git(...args: readonly string[]): Promise<unknown>;
  sluice(...args: readonly string[]): Promise<string>;
  /** Changes files, commits, and runs the pipeline to its end. */
  push(changes: Readonly<Record<string, string>>): Promise<Report>;
  /** Asks an environment by the name that people know. */
  ask(environment: 'testing' | 'production', path: string): Promise<string>;
}

/** A machine with a Git repository and no cluster. */
function openLaptop(t: ExecutionContext): Laptop {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-laptop-'));
  const repository = join(folder, 'tasks');
  const home = join(folder, 'home');
  const { PATH, NODE_EXTRA_CA_CERTS } = process.env;
  const env = {
    PATH,
    HOME: folder,
    SLUICE_HOME: home,
    NO_COLOR: '1',
    ...(NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS }),
  };
  cpSync(join(root, 'e2e/backends/apps/node'), repository, { recursive: true });
  for (const name of packages) {
    cpSync(join(root, 'node_modules', name), join(repository, 'node_modules', name), { recursive: true });
  }
  const run = async (program: string, args: readonly string[]): Promise<string> => {
    const options = { cwd: repository, env, maxBuffer: 2 ** 26 };
    return new Promise((resolve) => execFile(program, args, options, (_, stdout) => resolve(stdout)));
  };
  const sluice = (...args: readonly string[]): Promise<string> => run(process.execPath, [launcher, ...args]);
  const identity = ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com'];
  const git = (...args: readonly string[]) => promisify(execFile)('git', [...identity, ...args], { cwd: repository });
  const listed = async (): Promise<Listed> => JSON.parse(await sluice('environments', 'list', '--json')) as Listed;
  t.teardown(async () => {
    await sluice('environments', 'stop');
    rmSync(databaseFolder(join(home, 'environments')), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    repository,
    git,
    sluice,
    push: async (changes) => {
      for (const [file, content] of Object.entries(changes)) writeFileSync(join(repository, file), content);
      await git('add', '--all', '--force', '.');
      await git('commit', '-q', '-m', 'a change');
      await sluice('run', '--json');
      return JSON.parse(await sluice('show', 'latest', '--json')) as Report;
    },
    ask: async (environment, path) => {
      const found = (await listed()).environments.find((each) => each.environment === environment);
      return askByName(new URL(path, found?.name));
    },
  };
}

/** As a browser does it, which knows that names under `localhost` are this machine. */
async function askByName({ port, host, pathname }: URL): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = request({ host: '127.0.0.1', port, path: pathname, headers: { host } }, (answer) => {
    text(answer).then((body) => resolve(`${answer.headers['sluice-release'] as string} ${body}`), reject);
  });
  asked.once('error', reject);
  asked.end();
  return promise;
}

const verdicts = ({ steps }: Report): string =>
  steps.map(({ id, outcome, message = '' }) => `${id} ${outcome} ${message}`).join('\n');

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
