import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { effectiveSettings } from './effective-settings.ts';
import { loadConfig } from './load-config.ts';
import { readConfigFile } from './read-config-file.ts';
import { settings } from './settings.ts';

/** A configuration file beside the files that it names. */
async function written(t: ExecutionContext, text: string, files: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  t.teardown(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries({ ...files, 'server.yaml': text }))
    await writeFile(join(folder, name), content);
  return { folder, read: () => readConfigFile(join(folder, 'server.yaml')) };
}

const machine = { processors: 4, user: 'ann', dataFolder: '/data' };
const secrets = { npm: 'npm-secret\n', database: 'p', id: 'AKIA\r\n', key: 'two\nlines\n' };

const everything = `
home: data
url: https://sluice.example/
listen: "[::1]:9090"
executor: kubernetes
jobs: 12
runs: 7
runsPerRepository: 5
pollSeconds: 0
subscribersFile: subscribers.json
secretFiles: { NPM_TOKEN: npm }
database: { url: "postgres://sluice@db.example/sluice?sslmode=verify-full", passwordFile: database, ttlSeconds: 45 }
blobs: { url: https://s3.example/b, accessKeyIdFile: id, secretAccessKeyFile: key, sessionTokenFile: npm }
oidc: { issuer: i, audience: a, jwksUrl: https://login.example/keys, roleClaim: r, repositoriesClaim: s }
kubernetes:
  kubeconfig: /etc/kubeconfig
  context: c
  namespace: jobs
  agentUrl: http://sluice.svc:9000
  agentPort: 9000
  agentImage: agent:1
  imagePrefix: registry.example/
  imageTag: "1.20"
  images: { postgres: "db:17", node-24: node@sha256:12 }
  lookAhead: 2
  lookAheadCpu: 500m
  lookAheadMemory: 1Gi
backends: { domain: apps.example, gateway: gateway/public, gatewayUrl: http://gw.example/, registry: registry.example/b, builds: baseline }
registries: { authFile: auth.json, plainHttp: ["a:5000", "b:5000"] }
`;

test('a configuration file says everything that the environment can say', async (t) => {
  const { folder, read } = await written(t, everything, secrets);
  const file = await read();
  t.assert(file.ok, JSON.stringify(file));
  if (!file.ok) return;
  const names = settings.map(({ variable }) => variable.replace('SECRET_NAME', 'SECRET_NPM_TOKEN'));
  t.deepEqual(Object.keys(file.value.variables), names);
  const config = loadConfig({ ...machine, variables: file.value.variables });
  t.like(config, {
    home: join(folder, 'data'),
    url: 'https://sluice.example',
    listen: { host: '::1', port: 9090 },
    executor: 'kubernetes',
    jobs: 12,
    runs: 7,
    runsPerRepository: 5,
    pollMs: undefined,
    subscribersFile: join(folder, 'subscribers.json'),
    secrets: { NPM_TOKEN: 'npm-secret' },
    database: {
      url: 'postgres://sluice@db.example/sluice?sslmode=verify-full',
      passwordFile: join(folder, 'database'),
      ttlMs: 45_000,
    },
    bucket: {
      url: 'https://s3.example/b',
      accessKeyId: 'AKIA',
      secretAccessKey: 'two\nlines',
      sessionToken: 'npm-secret',
    },
    lookAhead: { attempts: 2, cpu: 0.5, memory: 1024 ** 3 },
    backends: {
      domain: 'apps.example',
      gateway: { namespace: 'gateway', name: 'public' },
      gatewayUrl: 'http://gw.example',
      registry: 'registry.example/b',
      builds: 'baseline',
    },
  });
  t.deepEqual(config.cluster.images, {
    prefix: 'registry.example/',
    tag: '1.20',
    pinned: { postgres: 'db:17', 'node-24': 'node@sha256:12' },
  });
  t.deepEqual(config.registries.plainHttp, ['a:5000', 'b:5000']);
});

test('the example of the documentation is a sound configuration', async (t) => {
  const page = await readFile('docs/configuration.md', 'utf8');
  const [, example = ''] = /```yaml\n([^]*?)```/.exec(page) ?? [];
  const { folder, read } = await written(t, example.replaceAll('/run/secrets/', './'), {
    'npm-token': 'npm-secret',
    's3-id': 'id',
    's3-key': 'key',
  });
  const file = await read();
  t.assert(file.ok, JSON.stringify(file));
  if (!file.ok) return;
  t.like(loadConfig({ ...machine, variables: file.value.variables }), {
    home: '/var/lib/sluice',
    listen: { host: '0.0.0.0', port: 8080 },
    runs: 40,
    pollMs: 120_000,
    database: { passwordFile: join(folder, 'database') },
    bucket: { accessKeyId: 'id', secretAccessKey: 'key' },
    secrets: { NPM_TOKEN: 'npm-secret' },
  });
});

const faulty: readonly (readonly [
  title: string,
  text: string,
  problems: readonly (readonly [string, string, RegExp])[],
])[] = [
  [
    'every mistake is told at once',
    'runs: many\ndatabase:\n  ttlSecond: 1\nexecutor: kubernets\n',
    [
      ['1:7', 'wrong-type', /whole number/],
      ['3:3', 'unknown-key', /Did you mean `ttlSeconds`/],
      ['4:11', 'not-allowed', /Did you mean `kubernetes`/],
    ],
  ],
  ['a key at the wrong level', 'passwordFile: x\n', [['1:1', 'unknown-key', /belongs to `database`/]]],
  ['half a section', 'backends: { domain: a.example }\n', Array(3).fill(['1:1', 'missing-key', /Add `/])],
  ['no YAML', 'runs: [1\n', [['1:7', 'yaml-unclosed', /./]]],
  ['a key twice', 'runs: 1\nruns: 2\n', [['2:1', 'duplicate-key', /./]]],
  ['a text that would be two', 'kubernetes:\n  images: { a: "x b=y" }\n', [['2:16', 'bad-format', /without spaces/]]],
  ['a number out of range', 'database: { ttlSeconds: 2 }\n', [['1:25', 'out-of-range', /./]]],
  ['a secret that is not there', 'secretFiles:\n  A: nowhere\n', [['2:6', 'file-unreadable', /may read/]]],
  ['an empty secret', 'secretFiles:\n  A: empty\n', [['2:6', 'file-unreadable', /Write the secret/]]],
];

for (const [title, text, expected] of faulty) {
  test(`mistakes have places and next steps: ${title}`, async (t) => {
    const { read } = await written(t, text, { empty: '\n' });
    const file = await read();
    const problems = file.ok ? [] : file.problems;
    t.deepEqual(
      problems.map(({ line, column, code }) => [`${line}:${column}`, code]),
      expected.map(([place, code]) => [place, code]),
    );
    for (const [index, [, , text]] of expected.entries())
      t.regex(`${problems[index]?.message ?? ''} ${problems[index]?.hint ?? ''}`, text);
  });
}

for (const url of ['postgres://ada:hunter2@db/x', 'postgres://db/x?a=b&password=hunter2', 'postgres://ada:hunter2@:x'])
  test(`a password in an address is refused: ${url}`, async (t) => {
    const { read } = await written(t, `database:\n  url: ${url}\n`);
    const file = await read();
    t.false(file.ok);
    if (file.ok) return;
    t.like(file.problems[0], { line: 2, column: 8, code: 'bad-format' });
    t.regex(file.problems[0]?.hint ?? '', /passwordFile/);
    t.notRegex(JSON.stringify(file), /hunter2/);
  });

for (const text of ['', '\ufeff', '# runs: 3\n', '\n\n'])
  test(`a configuration file that says nothing is sound: ${JSON.stringify(text)}`, async (t) => {
    const { read } = await written(t, text);
    t.deepEqual(await read(), { ok: true, value: { variables: {}, places: new Map() } });
  });

test('a configuration file that cannot be read says why', async (t) => {
  await t.throwsAsync(readConfigFile(tmpdir()), { code: 'ERR_USAGE', message: new RegExp(`${tmpdir()}.*directory`) });
  await t.throwsAsync(readConfigFile('/nowhere/server.yaml'), { code: 'ERR_USAGE', message: /no such file.*nowhere/ });
});

test('every setting is shown with its value and its origin, and of secrets only that they are there', async (t) => {
  const { read } = await written(t, everything, secrets);
  const file = await read();
  if (!file.ok) return t.fail();
  const { variables, places } = file.value;
  const config = loadConfig({ ...machine, variables });
  const rows = effectiveSettings(config, { overrides: {}, variables, places });
  t.deepEqual(
    rows.map(({ key }) => key),
    settings.map(({ path }) => path.join('.').replace('secretFiles', 'secretFiles.NPM_TOKEN')),
  );
  t.true(rows.every(({ value, origin }) => value !== null && origin.from === 'file'));
  t.notRegex(JSON.stringify(rows), /npm-secret|AKIA|two/);
  t.like(
    rows.find(({ key }) => key === 'database.ttlSeconds'),
    { value: 45, origin: { from: 'file', line: 12, column: 113 } },
  );

  const bare = effectiveSettings(loadConfig({ ...machine, variables: {} }), {
    overrides: {},
    variables: {},
    places: new Map(),
  });
  t.true(bare.every(({ origin }) => origin.from === 'default'));
  t.like(
    bare.find(({ key }) => key === 'pollSeconds'),
    { value: 300 },
  );
});
