import { execFile, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { nothingBut } from './dependencies-fixture.ts';
import type { Config } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { createEngine } from '../engine/create-engine.ts';
import { baseEnvironment } from '../executors/local/base-environment.ts';
import { createLocalExecutor } from '../executors/local/local-executor.ts';
import { systemClock } from '../model/clock.ts';
import { createFileLogs } from '../results/log/file-logs.ts';
import { createGitSources } from '../sources/git-source.ts';
import { openSecretBox } from '../store/secret-box.ts';
import { openBlobs } from '../store/blobs.ts';
import { isAlive, thisProcess } from '../store/owner.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { runCli } from './cli.ts';
import type { Services } from './session.ts';

const launcher = join(import.meta.dirname, '../launch/sluice.js');
const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
ajv.addSchema(JSON.parse(readFileSync('schemas/cli.schema.json', 'utf8')) as object);

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A repository and a data folder of their own. */
interface Place {
  readonly folder: string;
  readonly repository: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly sluice: (...words: readonly string[]) => Promise<Said>;
  /** The documents printed with --json, each checked against a definition of the schema. */
  readonly json: <Value>(definition: string, ...words: readonly string[]) => Promise<readonly Value[]>;
}

async function openPlace(t: ExecutionContext, yaml: string): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const repository = join(folder, 'tasks');
  await mkdir(repository);
  await new Promise((resolve) => execFile('git', ['init', '-q', '-b', 'main', repository], resolve));
  await writeFile(join(repository, 'sluice.yaml'), yaml);
  const environment = { PATH: process.env['PATH'] ?? '', HOME: folder, SLUICE_HOME: join(folder, 'data') };
  const sluice = (...words: readonly string[]): Promise<Said> => runHere(words, repository, environment);
  return {
    folder,
    repository,
    environment,
    sluice,
    json: async <Value>(definition: string, ...words: readonly string[]) => {
      const { out, err } = await sluice('--json', ...words);
      t.is(err, '', 'nothing beside the documents');
      const documents = out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Value);
      for (const document of documents) matches(t, definition, document);
      return documents;
    },
  };
}

/** One command in this process, over the real services: a process of its own for each would take most of the time. */
async function runHere(
  words: readonly string[],
  cwd: string,
  variables: Readonly<Record<string, string>>,
): Promise<Said> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const [out, err] = [text(stdout), text(stderr)];
  const code = await runCli(
    words,
    { stdout, stderr, cwd, signals: new EventEmitter() },
    nothingBut({ environment: { ...readEnvironment(), variables }, open: (config) => openServices(config, variables) }),
  );
  stdout.end();
  stderr.end();
  return { code, out: await out, err: await err };
}

async function openServices(config: Config, variables: Readonly<Record<string, string>>): Promise<Services> {
  await mkdir(config.home, { recursive: true });
  const store = await openSqliteStore({ file: join(config.home, 'sluice.db'), clock: systemClock, isAlive });
  const blobs = await openBlobs(join(config.home, 'blobs'));
  const logs = createFileLogs(join(config.home, 'logs'));
  const tools = { cache: join(config.home, 'tools'), baseEnv: baseEnvironment(variables) };
  const executor = createLocalExecutor({ folder: join(config.home, 'work'), ...tools });
  const sources = createGitSources({ environment: variables, temporaryFolder: join(config.home, 'trees') });
  const parts = { store, blobs, logs, executor, sources, clock: systemClock, logger, owner: thisProcess() };
  const limits = {
    secret: () => undefined,
    gates: new Map(),
    capacity: config.jobs,
    maxLogBytes: 1e6,
    maxUploadBytes: 1e9,
    lookAhead: { attempts: 0, cpu: 0, memory: 0 },
  };
  const close = () =>
    executor
      .close()
      .finally(() => Promise.all([sources.close(), store.close()]))
      .then(() => undefined);
  return {
    engine: createEngine({ ...parts, ...limits }),
    store,
    logs,
    blobs,
    intake: store,
    watch: store,
    outbox: store,
    secretBox: await openSecretBox(config.home),
    close,
  };
}

const logger = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

function matches(t: ExecutionContext, definition: string, document: unknown): void {
  const validate = ajv.getSchema(`cli.schema.json#/$defs/${definition}`);
  t.truthy(validate, definition);
  t.true(validate?.(document), `${definition}: ${ajv.errorsText(validate?.errors)}\n${JSON.stringify(document)}`);
}

const pipeline = `pipeline: tasks
steps:
  lint: { needs: [], run: "printf 'linting\\\\033[2J\\\\n'" }
  unit:
    needs: []
    matrix: { node: ["22", "24"] }
    env: { NODE: "\${{ matrix.node }}" }
    run: |
      mkdir reports
      [ "$NODE" = 24 ] && body='<failure message="expected 401">at login.js:12</failure>' || body=''
      echo "<testsuite name='api'><testcase name='works'/><testcase name='refuses' time='0.2'>$body</testcase></testsuite>" > reports/a.xml
    junit: reports/*.xml
    artifacts: ["reports/**"]
  deploy: { run: "true" }
`;

test('a run and everything that can be asked of it afterwards', async (t) => {
  const { sluice, json, folder } = await openPlace(t, pipeline);

  const run = await sluice('run');
  t.is(run.code, 1, run.err);
  t.regex(run.out, /^tasks {2}main no commit with uncommitted changes {2}run \S+\n/);
  t.true(run.out.includes('\nlint │ linting\n'), run.out);
  t.regex(run.out, /\n✗ unit:24 .* 1 of 2 tests failed: refuses/);
  t.regex(run.out, /\n- deploy {2}skipped: unit:24 failed\n/);
  t.regex(run.out, /\n {2}✗ api › refuses\n {4}expected 401\n/);
  t.regex(run.out, /\ntests {5}4 tests, 1 failed\nartefacts 2 files\n/);
  t.regex(run.out, /\n {10}sluice rerun \S+ --failed\n$/);

  const [list] = await json<{ runs: { runId: string; outcome: string }[] }>('runs', 'runs');
  const runId = list?.runs[0]?.runId ?? '';
  t.is(list?.runs[0]?.outcome, 'failed');
  t.regex((await sluice('runs')).out, new RegExp(`^✗ ${runId}  tasks  main no commit  failed  `));

  const [report] = await json<{ runId: string; steps: { id: string; matrix?: string }[] }>(
    'report',
    'show',
    runId.slice(0, 12),
  );
  t.is(report?.runId, runId);
  t.deepEqual(
    report?.steps.map(({ id, matrix }) => [id, matrix]),
    [
      ['lint', undefined],
      ['unit:22', 'unit'],
      ['unit:24', 'unit'],
      ['deploy', undefined],
    ],
  );

  t.is((await sluice('logs', 'latest', 'lint')).out, 'linting\x1b[2J\n', 'a pipe gets the bytes as they are');
  t.regex((await sluice('logs', '-t', runId, 'lint')).out, /^\d{4}-\d\d-\d\dT\S+Z linting/);
  t.true((await sluice('logs')).out.startsWith('==> lint <==\nlinting'));
  t.deepEqual(
    (await json<{ text: string }>('logLine', 'logs', runId, 'lint')).map((line) => line.text),
    ['linting\x1b[2J'],
  );
  const neverRan = await sluice('logs', runId, 'deploy');
  t.is(neverRan.code, 2);
  t.regex(neverRan.err, /^error: step "deploy" has not run: skipped: unit:24 failed/);
  t.regex((await sluice('logs', runId, 'unt:22')).err, /has no step "unt:22"\n {2}Did you mean `unit:22`\?/);
  t.regex((await sluice('logs', runId, 'unit')).err, /name one of them: unit:22, unit:24/);

  const [tests] = await json<{ totals: object; tests: { name: string }[] }>('tests', 'tests');
  t.deepEqual(tests?.totals, { tests: 4, failures: 1, errors: 0, skipped: 0, flaky: 0 });
  t.deepEqual(
    tests?.tests.map(({ name }) => name),
    ['refuses'],
  );
  t.is((await json<{ tests: object[] }>('tests', 'tests', '--all'))[0]?.tests.length, 4);
  t.is((await json<{ tests: object[] }>('tests', 'tests', '--slowest', '2'))[0]?.tests.length, 2);
  t.regex(
    (await sluice('tests')).out,
    /^✗ api › refuses {2}unit:24, 200 ms\n {4}reports\/a\.xml\n {4}expected 401\n {4}at login\.js:12\n\n4 tests, 1 failed\n$/,
  );

  const [artifacts] = await json<{ artifacts: { step: string; path: string }[] }>('artifacts', 'artifacts');
  t.deepEqual(
    artifacts?.artifacts.map(({ step, path }) => `${step} ${path}`),
    ['unit:22 reports/a.xml', 'unit:24 reports/a.xml'],
  );
  t.deepEqual((await json<{ artifacts: object[] }>('artifacts', 'artifacts', 'latest', '*.txt'))[0]?.artifacts, []);
  await sluice('artifacts', runId, 'reports/*.xml', '--download', join(folder, 'out'));
  t.regex(await readFile(join(folder, 'out/unit:24/reports/a.xml'), 'utf8'), /expected 401/);

  const again = await json<{ kind: string; report?: { request: object } }>('runLine', 'rerun', runId, '--failed');
  t.like(again.at(-1), { kind: 'report', report: { request: { rerunOf: runId }, outcome: 'failed' } });
  t.is(again.filter(({ kind }) => kind === 'report').length, 1);
  t.is((await sluice('logs', 'latest', 'lint')).out, 'linting\x1b[2J\n', 'what was taken over belongs to the run');
  t.true((await sluice('logs')).out.startsWith('==> lint <==\nlinting'));
  t.is((await json<{ tests: object[] }>('tests', 'tests', '--all'))[0]?.tests.length, 4);
  t.deepEqual(
    (await json<{ artifacts: { step: string }[] }>('artifacts', 'artifacts'))[0]?.artifacts.map(({ step }) => step),
    ['unit:22', 'unit:24'],
  );
  t.regex((await sluice('runs', '--repository', 'nobody')).err, /^No run fits\./);
  t.regex((await sluice('logs', runId, 'lint', '--attempt', '9')).err, /step "lint" has only 1 attempt\n/);
  t.regex((await sluice('logs', runId, '--attempt', '9')).err, /no step has an attempt 9\n/);
});

test('a repository that could never be fetched from is not added', async (t) => {
  const { sluice } = await openPlace(t, '');
  for (const url of ['not a url', 'ext::sh -c id', '--upload-pack=x']) {
    const { code, err } = await sluice('repository', 'add', 'shop', '--forge', 'gitea', `--url=${url}`);
    t.not(code, 0, url);
    t.regex(err, /is no URL that Sluice fetches from\n {2}Use https:/);
  }
});

test('a token or secret file that cannot be used is named with its option, why, and the next step', async (t) => {
  const { sluice, folder } = await openPlace(t, '');
  await writeFile(join(folder, 'empty'), '\n');
  const add = ['repository', 'add', 'shop', '--forge', 'gitea', '--url', 'https://git.example/shop.git'];
  const missing = await sluice(...add, '--token-file', '../none');
  t.is(missing.code, 3);
  t.regex(missing.err, /The file of --token-file cannot be read: ENOENT.*\/none'\n {2}Name a file that you may read/);
  t.regex((await sluice(...add, '--secret-file', '..')).err, /--secret-file cannot be read: EISDIR/);
  t.regex((await sluice(...add, '--secret-file', '../empty')).err, /empty of --secret-file is empty\.\n {2}Write/);
  const bridge = ['bridge', '--server', 'http://127.0.0.1:1', '--repository', 'shop', '--token-file', '../none'];
  t.regex((await sluice(...bridge)).err, /--token-file cannot be read: ENOENT/);
  t.regex((await sluice('repository', 'list')).err, /No repository yet/);
});

interface Row {
  readonly key: string;
  readonly value: unknown;
  readonly origin: Readonly<Record<string, unknown>>;
}

test('the command line wins over the environment, which wins over the file; config says where each value is from', async (t) => {
  const { folder, repository, environment, json } = await openPlace(t, '');
  const file = join(folder, 'server.yaml');
  await writeFile(file, 'home: elsewhere\nruns: 7\nurl: https://sluice.example\n');
  const find = (rows: readonly Row[] | undefined, wanted: string) => {
    const { value, origin } = rows?.find(({ key }) => key === wanted) ?? {};
    return { value, origin };
  };
  const [shown] = await json<{ settings: readonly Row[] }>('config', 'config', '--config', file);
  const inFile = { from: 'file', file, line: 2, column: 7 };
  t.deepEqual(find(shown?.settings, 'runs'), { value: 7, origin: inFile });
  t.deepEqual(find(shown?.settings, 'home'), {
    value: environment['SLUICE_HOME'],
    origin: { from: 'environment', variable: 'SLUICE_HOME' },
  });
  t.deepEqual(find(shown?.settings, 'executor'), { value: 'local', origin: { from: 'default' } });

  const more = { ...environment, SLUICE_CONFIG: '../server.yaml', SLUICE_RUNS: '8', SLUICE_HOME: '' };
  const { out } = await runHere(['config'], repository, more);
  t.regex(out, /^runs +8 +SLUICE_RUNS$/m);
  t.true(out.includes(join(folder, 'elsewhere')));
  t.regex((await runHere(['config', '--home', '/given'], repository, more)).out, /^home +\/given +option$/m);
});

test('a command with a faulty configuration file tells every mistake of it, and does nothing', async (t) => {
  const { folder, sluice, json } = await openPlace(t, pipeline);
  const file = join(folder, 'server.yaml');
  await writeFile(file, 'run: 7\njobs: none\n');
  const { code, out, err } = await sluice('run', '--config', file);
  t.deepEqual([code, out], [2, '']);
  t.regex(err, /server\.yaml:1:1 The file has no key `run`\.[^]*Did you mean `runs`\?[^]*server\.yaml:2:7/);
  const [told] = await json<{ problems: readonly unknown[] }>('problems', 'runs', '--config', file);
  t.is(told?.problems.length, 2);
  await rm(file);
  t.deepEqual(await json('runs', 'runs'), [{ runs: [] }]);
});

test('serve at a port that is taken says so, and what to do', async (t) => {
  const { environment } = await openPlace(t, '');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
  const server = spawn(process.execPath, [launcher, 'serve', '--listen', address], { env: environment });
  const [err, ended] = await Promise.all([text(server.stderr), once(server, 'exit')]);
  t.deepEqual(ended, [2, null]);
  t.regex(err, new RegExp(`^error: Nothing can be served at ${address}: .*EADDRINUSE.*\n  Choose another address`));
  t.notRegex(err, /defect|\n {4}at /);
});

test('a repository is added with what is to be done next, once, and tokens and repositories that are not there are said to be', async (t) => {
  const { sluice, folder, environment } = await openPlace(t, pipeline);
  t.regex((await sluice('token', 'list')).err, /^No token yet\. Make one with: sluice token create/);
  t.regex((await sluice('repository', 'list')).err, /^No repository yet\./);
  const add = (name: string, forge: string, variables = {}) =>
    runHere(['repository', 'add', name, '--forge', forge, '--url', join(folder, 'tasks')], folder, {
      ...environment,
      ...variables,
    });
  const bare = await add('shop', 'git');
  t.regex(
    bare.out,
    /hooks\/post-receive:\n {2}exec sluice bridge --server https:\/\/SERVER --repository shop --token-file FILE\n/,
  );
  t.regex(bare.out, /\n.* sluice token create --role developer --repository shop\n$/);
  t.regex(
    (await add('web', 'gitea', { SLUICE_URL: 'https://ci.example/' })).out,
    /\n {2}URL {5}https:\/\/ci\.example\/hooks\/\S+\n/,
  );
  const list = (await sluice('repository', 'list')).out;
  t.regex(list, /^REPOSITORY {2}FORGE {2,}FETCHED FROM +HOOK\n/);
  t.regex(list, /^shop +git +\S+$/m, 'Git announces by no webhook');
  const again = await add('shop', 'git');
  t.is(again.code, 2);
  t.regex(again.err, /There is a repository "shop" already\.\n .*sluice repository remove shop\n/);
});

test('init says how to run what it wrote, outside of a repository too', async (t) => {
  const { sluice, folder } = await openPlace(t, pipeline);
  t.regex((await sluice('init', '--force')).out, /\nRun it with: sluice run\n$/);
  t.regex((await sluice('init', folder)).out, /\nRun it with: git init && sluice run\n$/);
});

test('init says what is to be done first where it knows nothing, and that a folder is not there', async (t) => {
  const { sluice, folder } = await openPlace(t, pipeline);
  await mkdir(join(folder, 'notes'));
  t.regex(
    (await sluice('init', join(folder, 'notes'))).out,
    /does not know\.\nPut the commands .* below `steps` first\.\n/,
  );
  t.deepEqual(await sluice('init', join(folder, 'gone')), {
    code: 2,
    out: '',
    err: `error: ${join(folder, 'gone')} is no folder that can be read\n  Name the folder of a repository.\n`,
  });
});

test('lint finds the file of the repository from a folder inside it, as run does', async (t) => {
  const { sluice, repository } = await openPlace(t, pipeline);
  await mkdir(join(repository, 'src'));
  t.is((await sluice('-C', join(repository, 'src'), 'lint')).out, '✓ ../sluice.yaml has no problems\n');
});

test('a plan can be looked at without the secrets that a run needs', async (t) => {
  const { sluice } = await openPlace(
    t,
    'pipeline: tasks\nsteps:\n  publish: { secrets: [NPM_TOKEN], run: npm publish }\n',
  );
  t.regex((await sluice('plan')).out, /\n {2}secrets {5}NPM_TOKEN\n/);
  t.regex((await sluice('run')).err, /needs the secret `NPM_TOKEN`\. \[secret-missing\]/);
});

test('a repetition of uncommitted changes says that it takes those of then', async (t) => {
  const { sluice, repository } = await openPlace(t, 'pipeline: tasks\nsteps:\n  a: { run: test -f fixed }\n');
  t.is((await sluice('run', '-q')).code, 1);
  await writeFile(join(repository, 'fixed'), '');
  const again = await sluice('rerun', '--failed', '-q');
  t.is(again.code, 1);
  t.regex(
    again.err,
    /^Repeats run \S+ with its uncommitted changes of then; `sluice run` takes the files as they are\.$/m,
  );
  t.is((await sluice('run', '-q')).code, 0);
  t.regex(
    (await sluice('resume')).err,
    /has already ended: succeeded\.\n {2}Repeat steps of it with: .* --from STEP\n/,
  );
});

test('logs that find no room on the disk say so', async (t) => {
  const { sluice, repository, environment } = await openPlace(t, pipeline);
  await sluice('run', '-q');
  const command = `"${process.execPath}" "${launcher}" logs > /dev/full`;
  const options = { cwd: repository, env: environment };
  const said = await new Promise<readonly [unknown, string]>((resolve) =>
    execFile('sh', ['-c', command], options, (error, _out, err) => resolve([error?.code, err])),
  );
  t.is(said[0], 3);
  t.regex(said[1], /^error: the output could not be written: .*ENOSPC.*\n {2}Free some disk space.*\n$/);
});

test('a backup and a restore say that the key is no part of them', async (t) => {
  const { sluice, folder, environment } = await openPlace(t, pipeline);
  t.is((await sluice('runs')).code, 0);
  const apart = async (...words: readonly string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [launcher, ...words], { env: environment })).stderr;
  const kept = await apart('backup', join(folder, 'backup'));
  t.true(kept.startsWith(`Keep a copy of ${join(folder, 'data/secret.key')} elsewhere: `), kept);
  const restored = await apart('restore', join(folder, 'backup'), '--home', join(folder, 'other'));
  t.regex(restored, /^Put the secret\.key of the old data folder there before you go on; /);
  await t.throwsAsync(stat(join(folder, 'other/secret.key')), { code: 'ENOENT' });
});

test('a download leaves its folder by no link', async (t) => {
  const { sluice, folder } = await openPlace(
    t,
    'pipeline: tasks\nsteps:\n  a: { run: "mkdir d; echo x > d/f", artifacts: ["d/f"] }\n',
  );
  t.is((await sluice('run', '-q')).code, 0);
  const file = await sluice('artifacts', '--download', join(folder, 'tasks/sluice.yaml'));
  t.is(file.code, 2);
  t.regex(
    file.err,
    /^error: The folder .* cannot be made: .*\n {2}Name a new or an empty folder behind --download\.\n$/,
  );
  await mkdir(join(folder, 'out/a'), { recursive: true });
  await mkdir(join(folder, 'elsewhere'));
  await symlink(join(folder, 'elsewhere'), join(folder, 'out/a/d'));
  const said = await sluice('artifacts', '--download', join(folder, 'out'));
  t.is(said.code, 3);
  t.regex(said.err, /would be written outside the folder/);
  await t.throwsAsync(stat(join(folder, 'elsewhere/f')));
});

test('a file with mistakes stops lint, plan and run with the same problems', async (t) => {
  const { sluice, json } = await openPlace(
    t,
    'pipeline: tasks\nsteps:\n  a: { run: "true", nedes: [b] }\n  c: { rnu: x }\n',
  );
  for (const command of ['lint', 'plan', 'run']) {
    const said = await sluice(command);
    t.is(said.code, 2, command);
    t.is(said.out, '');
    t.regex(said.err, /^sluice\.yaml:3:\d+ /m);
    t.regex(said.err, /^ {2}.*\^/m, 'with a frame');
    t.regex(said.err, /^2 problems in sluice\.yaml$/m);
    const [{ problems } = { problems: [] }] = await json<{ problems: object[] }>('problems', command);
    t.true(problems.length === 2);
    t.deepEqual(Object.keys(problems[0] ?? {}), ['code', 'message', 'file', 'line', 'column', 'hint']);
  }
});

test('limits of a load that cannot be, and addresses of others, are refused before anything is asked', async (t) => {
  const { sluice } = await openPlace(t, pipeline);
  const load = (...options: readonly string[]) => sluice('check', 'load', '--url', 'http://127.0.0.1:9', ...options);
  for (const [option, value, told] of [
    ['--connections', '0', /Give a whole number/],
    ['--rate', '0.5', /Give a whole number/],
    ['--errors', '101', /Give percents/],
    ['--p99', '0s', /Give a time/],
    ['--path', 'http://127.0.0.1:10/tasks', /"http:\/\/127\.0\.0\.1:10\/tasks" is no path of the app/],
    ['--path', '//other.example/tasks', /is no path of the app/],
    ['--metrics', 'metrics', /"metrics" is no path of the app/],
  ] as const) {
    const said = await load(option, value);
    t.is(said.code, 2, option);
    t.regex(said.err, told);
  }
});

test('migrations are judged with place, frame and advice, and a refused file is a failed check', async (t) => {
  const { repository, sluice, json } = await openPlace(t, pipeline);
  const none = await sluice('migrate', 'lint');
  t.is(none.code, 2);
  t.regex(none.err, /no migrations were found/);
  await mkdir(join(repository, 'migrations'));
  await writeFile(
    join(repository, 'migrations/1.sql'),
    'CREATE TABLE users (id int);\nCREATE INDEX i ON users (id);\n',
  );
  t.deepEqual(await sluice('migrate', 'lint'), { code: 0, out: '✓ expand    migrations/1.sql\n', err: '' });
  await writeFile(join(repository, 'migrations/2.sql'), '-- héé\nDROP TABLE\n  teams;\n');
  const said = await sluice('migrate', 'lint');
  t.is(said.code, 1);
  t.is(said.out, '✓ expand    migrations/1.sql\n✗ contract  migrations/2.sql\n');
  t.regex(said.err, /^migrations\/2\.sql:2:1 .*public\.teams/m);
  t.regex(said.err, /^ {2}.*\^{10}$/m);
  t.regex(said.err, /contract phase/);
  t.is((await sluice('migrate', 'lint', '--phase', 'contract')).code, 0);
  t.regex(said.err, /^These 2 files were judged as one release\. Name those that are new /m);
  t.deepEqual(await sluice('migrate', 'lint', 'migrations/1.sql'), {
    code: 0,
    out: '✓ expand    migrations/1.sql\n',
    err: '',
  });
  const [document] = await json<{ files: object[]; problems: object[] }>('migrationLint', 'migrate', 'lint');
  t.like(document?.problems[0], { code: 'drop-table', file: 'migrations/2.sql', line: 2, column: 1 });
  t.deepEqual(document?.files[1], { file: 'migrations/2.sql', class: 'contract', verdict: 'refused' });
  const missing = await sluice('migrate', 'lint', 'nowhere.sql');
  t.is(missing.code, 2);
  t.regex(missing.err, /cannot read nowhere\.sql/);
});

test('a file without mistakes has a plan', async (t) => {
  const { sluice, json } = await openPlace(t, pipeline);
  t.deepEqual(await json('problems', 'lint'), [{ problems: [] }]);
  await json('plan', 'plan');
  const { out } = await sluice('plan');
  t.regex(out, /^tasks {2}4 steps\n {2}lint\n {2}unit:22\n {2}unit:24\n {2}deploy {3}after unit\n\nlint\n/);
  t.regex(out, /\nunit:22\n {2}image .*\n(.*\n)* {2}env {9}NODE=22\n/);
});

test('Ctrl-C cancels the run, waits for its end and answers 130', async (t) => {
  const { repository, environment, json } = await openPlace(
    t,
    'pipeline: tasks\nsteps:\n  slow: { run: "echo up; sleep 60" }\n',
  );
  const child = spawn(process.execPath, [launcher, 'run'], { cwd: repository, env: environment });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  while (!out.includes('slow │ up\n')) await delay(50);
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number];
  t.is(code, 130, out);
  t.regex(out, /Cancelling; Ctrl-C again kills the steps\./);
  t.regex(out, /\n× slow .* cancelled/);
  const [report] = await json('report', 'show');
  t.like(report, { outcome: 'cancelled', reason: 'interrupted' });
});

test('a run that waits is approved from elsewhere, followed and cancelled from elsewhere', async (t) => {
  const yaml =
    'pipeline: tasks\nsteps:\n  ask: { approval: { message: "Ship?" } }\n  slow: { run: "echo up; sleep 60" }\n';
  const { repository, environment, sluice, json } = await openPlace(t, yaml);
  const child = spawn(process.execPath, [launcher, 'run', '-q'], { cwd: repository, env: environment, stdio: 'pipe' });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  while (!out.includes('sluice approve')) await delay(50);
  t.regex(out, /\? ask {2}waits for: sluice approve \S+ ask\n/);
  t.regex((await sluice('show')).out, /\n\? ask +waits for approval: Ship\?\n/);
  t.regex((await sluice('approve', 'latest', 'slow')).err, /does not wait for an approval/);
  t.regex(
    (await sluice('approve', 'latest')).err,
    /waits for an approval of ask\.\n {2}Name the step: sluice approve \S+ ask\n/,
  );
  const [approved] = await json<{ approved: boolean }>('approve', 'approve', 'latest', 'ask', '--comment', 'fine');
  t.true(approved?.approved);
  const followed = json<{ kind: string }>('runLine', 'show', '--follow');
  const log = sluice('logs', '--follow', 'latest', 'slow');
  while (!out.includes('slow  started')) await delay(50);
  t.regex((await sluice('show')).out, /\n✓ ask .*approved by \S+ · fine\n/);
  await json('cancel', 'cancel', 'latest');
  const [code] = (await once(child, 'close')) as [number];
  t.is(code, 1);
  t.like((await followed).at(-1), { kind: 'report', report: { outcome: 'cancelled' } });
  t.is((await log).out, 'slow │ up\n');
  t.regex((await sluice('cancel', 'latest')).err, /has already ended/);
});

test('JUnit files are told one by one, red and rejected ones make the exit code 1', async (t) => {
  const { json, sluice, folder } = await openPlace(t, pipeline);
  const [green, broken] = [join(folder, 'green.xml'), join(folder, 'broken.xml')];
  await writeFile(green, '<testsuite tests="5"><testcase name="a"/></testsuite>');
  await writeFile(broken, '<testsuite>');
  t.deepEqual(await json('junit', 'junit', green, broken), [
    { file: green, verdict: 'parse', tests: 1, failures: 0, errors: 0, skipped: 0, mismatch: ['tests:5!=1'] },
    { file: broken, verdict: 'reject', tests: 0, failures: 0, errors: 0, skipped: 0, mismatch: [] },
  ]);
  t.is((await sluice('junit', green)).code, 0);
  t.is((await sluice('junit', green, broken)).code, 1);
  const red = join(folder, 'red.xml');
  await writeFile(red, '<testsuite><testcase name="a"><failure/></testcase></testsuite>');
  const aFolder = await sluice('junit', folder);
  t.deepEqual(
    [aFolder.code, aFolder.err],
    [2, `error: ${folder} is a folder\n  Name the reports in it: sluice junit ${folder}/*.xml\n`],
  );
  t.deepEqual(await sluice('junit', red), { code: 1, out: `✗ ${red}  1 test, 1 failed\n`, err: '' });
});

test('doctor looks at the machine and makes the data folder', async (t) => {
  const { json, folder } = await openPlace(t, pipeline);
  const [{ checks } = { checks: [] }] = await json<{ checks: { name: string; status: string }[] }>('doctor', 'doctor');
  for (const name of ['node', 'git', 'sh', 'data folder', 'store', 'clock']) {
    t.is(checks.find((check) => check.name === name)?.status, 'ok', name);
  }
  t.true((await stat(join(folder, 'data'))).isDirectory());
});

test('completion knows commands, options, runs and steps, also in a real shell', async (t) => {
  const { sluice, json, environment, folder } = await openPlace(t, pipeline);
  await sluice('run', '-q');
  const complete = async (...words: readonly string[]) =>
    (await json<{ candidates: string[] }>('candidates', 'complete', '--', ...words))[0]?.candidates;
  t.deepEqual(await complete('ru'), ['run', 'runs']);
  t.deepEqual(await complete('logs', '--ti'), ['--timestamps']);
  t.deepEqual(await complete('logs', 'latest', 'uni'), ['unit:22', 'unit:24']);
  t.deepEqual(await complete('completion', ''), ['bash', 'zsh', 'fish']);
  t.is((await complete('show', ''))?.length, 2);
  await writeFile(join(folder, 'sluice'), `#!/bin/sh\nexec "${process.execPath}" "${launcher}" "$@"\n`, {
    mode: 0o755,
  });
  const script =
    'eval "$(sluice completion bash)"; COMP_WORDS=(sluice logs latest uni); COMP_CWORD=3; _sluice; echo "${COMPREPLY[@]}"';
  const env = { ...environment, PATH: `${folder}:${environment['PATH'] ?? ''}` };
  const said = await new Promise((resolve) => execFile('bash', ['-c', script], { env }, (_error, out) => resolve(out)));
  t.is(said, 'unit:22 unit:24\n');
});

test('init writes a file that passes, and does not write over one', async (t) => {
  const { sluice, json, repository } = await openPlace(t, pipeline);
  const refused = await sluice('init');
  t.is(refused.code, 2);
  t.regex(refused.err, /sluice\.yaml is there already\n {2}Write over it with --force/);
  await writeFile(join(repository, 'package.json'), JSON.stringify({ scripts: { test: 'node --test' } }));
  const [written = { text: '' }] = await json<{ text: string }>('init', 'init', '--force');
  t.true(written.text.includes('--test-reporter=junit'));
  t.is(await readFile(join(repository, 'sluice.yaml'), 'utf8'), written.text);
  t.is((await sluice('init', '--print')).out, written.text);
  t.is((await sluice('lint')).out, '✓ sluice.yaml has no problems\n');
});

test('serve answers until a signal comes, then ends well', async (t) => {
  const { environment } = await openPlace(t, 'pipeline: p\nsteps: { a: { run: "true" } }\n');
  const server = spawn(process.execPath, [launcher, '--json', 'serve', '--listen', '127.0.0.1:0'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(line.toString()) as { readonly url: string };
  t.deepEqual(await (await fetch(`${url}/readyz`)).json(), { status: 'ok', version: '0.1.0' });
  server.kill('SIGTERM');
  t.deepEqual(await once(server, 'exit'), [0, null]);
});

test('an address that is none is refused', async (t) => {
  const { sluice } = await openPlace(t, '');
  const { code, err } = await sluice('serve', '--listen', 'localhost');
  t.is(code, 2);
  t.regex(err, /HOST:PORT/);
});

test('a token is made, listed without its secret, and revoked', async (t) => {
  const { sluice } = await openPlace(t, '');
  const made = await sluice('token', 'create', '--role', 'admin', '--name', 'ci', '--expires', '90d', '--json');
  const { token, secret } = JSON.parse(made.out) as {
    readonly token: { readonly id: string };
    readonly secret: string;
  };
  t.regex(secret, /^sluice_[\w-]{43}$/);
  t.is((await sluice('token', 'create', '--repository', 'shop')).out.trim().length, secret.length);
  const list = (await sluice('token', 'list')).out;
  t.regex(list, /^TOKEN +ROLE +NAME +REPOSITORIES +GOOD\n/);
  t.regex(list, new RegExp(`^${token.id}  admin +ci +\\* +until 20`, 'm'));
  t.regex(list, /viewer .* shop +yes$/m);
  t.false(list.includes(secret));
  t.is((await sluice('token', 'revoke', token.id)).code, 0);
  t.regex((await sluice('token', 'list')).out, /admin .* revoked$/m);
  for (const words of [['eat'], ['revoke', 'none'], ['create', '--expires', 'soon'], ['create', '--role', 'god']]) {
    const { code, err } = await sluice('token', ...words);
    t.is(code, 2, words.join(' '));
    t.regex(err, /^error: .*\n {2}\S/);
  }
});

test('what an image is to be made of is checked before anything is asked of a registry', async (t) => {
  const { sluice } = await openPlace(t, pipeline);
  const whole = ['image', 'append', '--base', 'localhost:1/base', '--from', '.', '--into', 'localhost:1/app'];
  const wrong: readonly (readonly [words: readonly string[], told: RegExp])[] = [
    [['image', 'append'], /--base <reference>/],
    [['image', 'remove', ...whole.slice(2)], /image cannot "remove"/],
    [[...whole, '--port', 'http'], /from 1 to 65535/],
    [[...whole, '--env', 'A'], /NAME=value/],
    [[...whole.slice(0, -1), 'not an image'], /"not an image" is no reference/],
    [[...whole, '--platform', 'linux'], /"linux" is no platform/],
  ];
  for (const [words, told] of wrong) {
    const { code, err } = await sluice(...words);
    t.is(code, 2, words.join(' '));
    t.regex(err, told);
  }
});

test('without a folder for temporary files an image is not made, and it is told which would be needed', async (t) => {
  const { repository, environment } = await openPlace(t, pipeline);
  const words = ['image', 'append', '--json', '--base', 'localhost:1/base', '--from', '.', '--into', 'localhost:1/app'];
  const env = { ...environment, TMPDIR: '/nowhere' };
  const child = spawn(process.execPath, [launcher, ...words], {
    cwd: repository,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit') as Promise<[number]>;
  const [out, [code]] = await Promise.all([text(child.stdout), exit]);
  t.is(code, 3);
  t.like(JSON.parse(out), { error: { code: 'ERR_WORKSPACE' } });
  t.regex(out, /\/nowhere.*TMPDIR/);
});
