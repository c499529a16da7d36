import test from 'ava';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '../model/errors.ts';
import { loadConfig } from './load-config.ts';
import { readSecretsFile } from './read-secrets-file.ts';

function environment(variables: Readonly<Record<string, string>> = {}) {
  return { variables, processors: 4, user: 'ann', dataFolder: '/data' };
}

test('defaults come from the machine', (t) => {
  t.deepEqual(loadConfig(environment()), {
    home: '/data',
    database: undefined,
    bucket: undefined,
    jobs: 4,
    lookAhead: { attempts: 4, cpu: 4, memory: 8 * 1024 ** 3 },
    executor: 'local',
    backends: undefined,
    cluster: {
      kubeconfig: undefined,
      context: undefined,
      home: undefined,
      inCluster: undefined,
      namespace: '',
      agentUrl: '',
      agentPort: 0,
      agentImage: '',
      images: { prefix: '', tag: 'latest', pinned: {} },
    },
    listen: { host: '127.0.0.1', port: 8080 },
    url: '',
    subscribersFile: undefined,
    registries: { authFile: undefined, usualAuthFile: undefined, plainHttp: [] },
    pollMs: 300_000,
    traces: false,
    runs: 20,
    runsPerRepository: 20,
    color: 'auto',
    liveView: true,
    secrets: {},
    issuer: undefined,
    actor: 'ann',
  });
});

test('of one repository as many runs are under way as a server drives, unless it is said', (t) => {
  t.is(loadConfig(environment({ SLUICE_RUNS: '7' })).runsPerRepository, 7);
  t.like(loadConfig(environment({ SLUICE_RUNS: '7', SLUICE_RUNS_PER_REPOSITORY: '30' })), {
    runs: 7,
    runsPerRepository: 30,
  });
  for (const wrong of ['0', '1000', '-1', 'many'])
    t.throws(
      () => loadConfig(environment({ SLUICE_RUNS_PER_REPOSITORY: wrong })),
      { code: 'ERR_USAGE', message: /SLUICE_RUNS_PER_REPOSITORY is .* no number from 1 to 999/ },
      wrong,
    );
});

test('the address of the server is one, and loses its slash', (t) => {
  t.is(loadConfig(environment({ SLUICE_URL: 'https://ci.example/' })).url, 'https://ci.example');
  for (const wrong of ['ci.example', 'abc', 'ftp://ci.example', 'https://'])
    t.throws(
      () => loadConfig(environment({ SLUICE_URL: wrong })),
      { code: 'ERR_USAGE', message: /SLUICE_URL is .* no address/ },
      wrong,
    );
});

test('a database is shared when its address is given', (t) => {
  const url = 'postgres://sluice@db/sluice';
  t.deepEqual(loadConfig(environment({ SLUICE_DATABASE_URL: url })).database, { url, ttlMs: 30_000 });
  const more = { SLUICE_DATABASE_URL: url, SLUICE_DATABASE_PASSWORD_FILE: '/run/password', SLUICE_RUNNER_TTL: '5' };
  t.deepEqual(loadConfig(environment(more)).database, { url, ttlMs: 5_000, passwordFile: '/run/password' });
  for (const ttl of ['2', '3601', '5s', '-5']) {
    const wrong = environment({ SLUICE_DATABASE_URL: url, SLUICE_RUNNER_TTL: ttl });
    t.throws(() => loadConfig(wrong), { code: 'ERR_USAGE', message: /^SLUICE_RUNNER_TTL is / }, ttl);
  }
});

test('images of our own are named one by one where they are not all in one place', (t) => {
  const { images } = loadConfig(
    environment({ SLUICE_IMAGES: 'postgres=db@sha256:12, node-24=mirror:5000/node:24' }),
  ).cluster;
  t.deepEqual(images.pinned, { postgres: 'db@sha256:12', 'node-24': 'mirror:5000/node:24' });
  t.throws(() => loadConfig(environment({ SLUICE_IMAGES: 'postgres' })), { code: 'ERR_USAGE', message: /"postgres"/ });
});

test('Containerfiles are built at no other level than the one that was measured', (t) => {
  const backends = (variables: Readonly<Record<string, string>>) =>
    loadConfig(
      environment({
        SLUICE_DOMAIN: 'apps.example',
        SLUICE_GATEWAY: 'gateway/public',
        SLUICE_GATEWAY_URL: 'http://gateway.example',
        SLUICE_REGISTRY: 'registry.example',
        ...variables,
      }),
    ).backends;
  t.is(backends({})?.builds, undefined);
  t.is(backends({ SLUICE_BUILDS: 'baseline' })?.builds, 'baseline');
  t.throws(() => backends({ SLUICE_BUILDS: 'privileged' }), { message: 'SLUICE_BUILDS is "privileged"' });
});

test('a bucket for blobs needs keys', (t) => {
  const url = { SLUICE_BLOBS_URL: 's3://blobs' };
  t.throws(() => loadConfig(environment(url)), { code: 'ERR_USAGE', message: /no keys/ });
  const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key' };
  const bucket = { url: 's3://blobs', accessKeyId: 'id', secretAccessKey: 'key' };
  t.deepEqual(loadConfig(environment({ ...url, ...keys })).bucket, bucket);
  const session = { ...url, ...keys, AWS_SESSION_TOKEN: 'token' };
  t.deepEqual(loadConfig(environment(session)).bucket, { ...bucket, sessionToken: 'token' });
  t.is(loadConfig(environment(keys)).bucket, undefined);
});

test('credentials for registries are looked for where docker and podman have them', (t) => {
  const registries = (variables: Readonly<Record<string, string>>) => loadConfig(environment(variables)).registries;
  t.deepEqual(registries({}), { authFile: undefined, usualAuthFile: undefined, plainHttp: [] });
  t.is(registries({ HOME: '/home/ada' }).usualAuthFile, '/home/ada/.docker/config.json');
  t.is(registries({ HOME: '/home/ada', DOCKER_CONFIG: '/etc/docker' }).usualAuthFile, '/etc/docker/config.json');
  t.is(registries({ REGISTRY_AUTH_FILE: '/run/auth.json' }).authFile, '/run/auth.json');
  const hosts = ['registry.local:5000', '10.0.0.1:5000'];
  t.deepEqual(registries({ SLUICE_PLAIN_HTTP_REGISTRIES: `${hosts.join(', ')},` }).plainHttp, hosts);
});

test('the command line wins over the environment, which wins over the defaults', (t) => {
  const machine = environment({ SLUICE_HOME: '/env', SLUICE_JOBS: '2' });
  t.like(loadConfig(machine), { home: '/env', jobs: 2 });
  t.like(loadConfig(machine, { home: '/given', jobs: '8' }), { home: '/given', jobs: 8 });
  t.like(loadConfig(machine, { home: '' }), { home: '/env' });
  t.like(loadConfig(environment({ SLUICE_HOME: '', SLUICE_JOBS: '' })), { home: '/data', jobs: 4 });
});

for (const jobs of ['0', '-1', '1.5', 'two', '99999']) {
  test(`a number of jobs must be one: ${jobs}`, (t) => {
    const error = t.throws(() => loadConfig(environment(), { jobs }), { instanceOf: SluiceError });
    t.is(error.code, 'ERR_USAGE');
    t.regex(error.message, /^--jobs is /);
  });
}

const colours: readonly (readonly [Readonly<Record<string, string>>, 'always' | 'never' | 'auto'])[] = [
  [{}, 'auto'],
  [{ NO_COLOR: '1' }, 'never'],
  [{ NO_COLOR: '' }, 'auto'],
  [{ FORCE_COLOR: '1' }, 'always'],
  [{ FORCE_COLOR: '0' }, 'never'],
  [{ FORCE_COLOR: '1', NO_COLOR: '1' }, 'never'],
  [{ TERM: 'dumb' }, 'never'],
];

for (const [variables, color] of colours) {
  test(`colours with ${JSON.stringify(variables)}: ${color}`, (t) => {
    t.is(loadConfig(environment(variables)).color, color);
  });
}

test('--no-color wins over FORCE_COLOR', (t) => {
  t.is(loadConfig(environment({ FORCE_COLOR: '1' }), { color: false }).color, 'never');
});

test('a picture that moves is not for dumb terminals and not for CI', (t) => {
  t.false(loadConfig(environment({ TERM: 'dumb' })).liveView);
  t.false(loadConfig(environment({ CI: 'true' })).liveView);
});

test('secrets come from SLUICE_SECRET_ variables, those of the file win, empty ones are none', (t) => {
  const machine = environment({
    SLUICE_SECRET_TOKEN: 'a',
    SLUICE_SECRET_KEY: 'b',
    SLUICE_SECRET_EMPTY: '',
    TOKEN: 'c',
  });
  t.deepEqual(loadConfig(machine, { secrets: { KEY: 'file' } }).secrets, { TOKEN: 'a', KEY: 'file' });
});

test('a secrets file has NAME=value lines, quotes and values of several lines', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'secrets');
  await writeFile(path, '# keys\nTOKEN=abc=def\nPEM="-----\nline\n-----"\nEMPTY=\n');
  t.deepEqual(await readSecretsFile(path), { TOKEN: 'abc=def', PEM: '-----\nline\n-----' });
});

const faulty: readonly (readonly [title: string, text: string, line: number])[] = [
  ['a line without a name', 'A=1\n\nhunter2hunter2\n', 3],
  ['a name that is none', 'MY-TOKEN=hunter2hunter2\n', 1],
  ['a quote that is never closed', '# keys\nKEY="hunter2\nhunter2\n', 2],
  ['text behind a value of several lines', 'KEY="hunter2\nhunter2"\nhunter2hunter2', 3],
];

for (const [title, text, line] of faulty) {
  test(`a secrets file with ${title} is refused with the line, and without what stands there`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-config-'));
    t.teardown(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'secrets'), text);
    const error = await t.throwsAsync(readSecretsFile(join(folder, 'secrets')), { instanceOf: SluiceError });
    t.regex(error.message, new RegExp(`^line ${line} of the secrets file .* is no NAME=value$`));
    t.notRegex(error.message, /hunter2/);
  });
}

test('a secrets file that is not there is named', async (t) => {
  const error = await t.throwsAsync(readSecretsFile('/nowhere/secrets'), { instanceOf: SluiceError });
  t.regex(error.message, /\/nowhere\/secrets/);
});

test('the seconds between two looks at refs are a number, and 0 turns the looks off', (t) => {
  const pollMs = (text: string) => loadConfig(environment({ SLUICE_POLL_SECONDS: text })).pollMs;
  t.is(pollMs('5'), 5_000);
  t.is(pollMs('0'), undefined);
  for (const wrong of ['-1', '1.5', '86401', 'often']) {
    t.throws(() => pollMs(wrong), { code: 'ERR_USAGE', message: /^SLUICE_POLL_SECONDS/ });
  }
});
