import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';

const root = fileURLToPath(new URL('..', import.meta.url));
const minutes = 60_000;

interface Ended {
  readonly output: string;
  readonly status: number;
}

/** A machine that has Node, npm and git, and has never seen Sluice. */
interface Machine {
  readonly folder: string;
  run(program: string, args: readonly string[], cwd?: string): Promise<Ended>;
}

function freshMachine(t: ExecutionContext): Machine {
  const folder = mkdtempSync(join(tmpdir(), 'sluice e2e '));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const home = join(folder, 'home');
  mkdirSync(home);
  const { PATH, NODE_EXTRA_CA_CERTS } = process.env;
  const env = { PATH, HOME: home, ...(NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS }) };
  return {
    folder,
    run: (program, args, cwd = folder) =>
      new Promise((resolve) => {
        execFile(program, args, { cwd, env, timeout: 5 * minutes }, (error, stdout, stderr) => {
          resolve(error ? { output: stdout + stderr, status: Number(error.code ?? 1) } : { output: stdout, status: 0 });
        });
      }),
  };
}

/** The project without what was made in it. */
function copyProject(target: string): void {
  const made = new Set(['node_modules', 'dist', 'reports', '.git']);
  cpSync(root, target, { recursive: true, filter: (path) => !made.has(basename(path)) });
}

interface Step {
  readonly id: string;
  readonly outcome: string;
}

test.serial('npm start in a fresh clone runs the example to a green end, twice', async (t) => {
  t.timeout(10 * minutes);
  const machine = freshMachine(t);
  const clone = join(machine.folder, 'a clone');
  copyProject(clone);
  const sluice = async (...args: readonly string[]): Promise<unknown> => {
    const { output, status } = await machine.run('node', ['runner/launch/sluice.js', ...args, '--json'], clone);
    t.is(status, 0, output);
    return JSON.parse(output);
  };

  for (const time of ['first', 'second']) {
    const { output, status } = await machine.run('npm', ['start'], clone);
    t.is(status, 0, `${time} start: ${output}`);
    t.regex(output, /npx sluice show/);
  }

  t.like(await sluice('runs'), { runs: { length: 2, 0: { outcome: 'succeeded' }, 1: { outcome: 'succeeded' } } });
  const run = (await sluice('show', 'latest')) as { readonly steps: readonly Step[] };
  t.like(run, { outcome: 'succeeded', tests: { tests: 3 * 19 + 7, failures: 0, errors: 0 } });
  t.deepEqual(
    run.steps.map(({ id, outcome }) => `${id} ${outcome}`),
    [
      'install succeeded',
      'lint succeeded',
      'unit:UTC succeeded',
      'unit:America-New_York succeeded',
      'unit:Pacific-Auckland succeeded',
      'api succeeded',
      'package succeeded',
      'smoke succeeded',
    ],
  );
  const { artifacts } = (await sluice('artifacts')) as { readonly artifacts: readonly { readonly path: string }[] };
  t.true(artifacts.some(({ path }) => path === 'tasks-service-1.4.0.tgz'));
  const smoke = await machine.run('node', ['runner/launch/sluice.js', 'logs', 'latest', 'smoke'], clone);
  t.regex(smoke.output, /200 \{"ok":true\}/);
});

test.serial('the packed project works as a dependency of another one', async (t) => {
  t.timeout(5 * minutes);
  const machine = freshMachine(t);
  const clone = join(machine.folder, 'clone');
  const app = join(machine.folder, 'app');
  copyProject(clone);
  mkdirSync(app);
  for (const [program, args, cwd] of [
    ['npm', ['run', 'build'], clone],
    ['npm', ['pack', '--pack-destination', app], clone],
    ['npm', ['init', '--yes'], app],
    ['npm', ['install', '--no-audit', './sluice-0.1.0.tgz'], app],
  ] as const) {
    const { output, status } = await machine.run(program, args, cwd);
    t.is(status, 0, `${program} ${args.join(' ')}: ${output}`);
  }
  const version = await machine.run('npx', ['--no-install', 'sluice', '--version'], app);
  t.is(version.output.trim(), '0.1.0');
  cpSync(join(root, 'examples/tasks-service/sluice.yaml'), join(app, 'sluice.yaml'));
  const lint = await machine.run('npx', ['--no-install', 'sluice', 'lint', '--json'], app);
  t.deepEqual({ ...lint, output: JSON.parse(lint.output) as unknown }, { status: 0, output: { problems: [] } });
});

test.serial('a Node that is too old brings a newer one and goes on with it', async (t) => {
  t.timeout(5 * minutes);
  const machine = freshMachine(t);
  const pretend = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })';
  const old = [`--import=data:text/javascript,${encodeURIComponent(pretend)}`];
  const { output, status } = await machine.run('node', [...old, join(root, 'runner/launch/sluice.js'), '--version']);
  t.is(status, 0, output);
  t.is(output.trim(), '0.1.0');
  const setup = await machine.run('node', [
    ...old,
    join(root, 'runner/launch/setup.js'),
    'node',
    '-p',
    'process.execPath',
  ]);
  t.regex(setup.output, /runner\/launch\/node\/node_modules\//);
});
