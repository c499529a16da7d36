import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Overrides } from '../config/load-config.ts';
import { loadConfig } from '../config/load-config.ts';
import { settings } from '../config/settings.ts';
import type { Setting } from '../config/settings.ts';
import { below, configSchema } from '../language/schema.ts';
import type { Json } from '../model/json.ts';
import { openSession, readSettings } from './open-session.ts';

const machine = { processors: 2, user: 'ann', dataFolder: '/data' };
const io = { stdout: new PassThrough(), stderr: new PassThrough(), cwd: '/', signals: new EventEmitter() };

/** A session of the configuration file under these variables. */
async function open(file: string, variables: Readonly<Record<string, string>>) {
  const nothing = () => assert.fail('only the configuration is asked');
  const dependencies = {
    ...{ version: '0', environment: { ...machine, variables }, open: nothing, tryStep: nothing, serve: nothing },
    ...{ archive: nothing, environments: nothing, database: nothing, checkout: nothing, backends: nothing },
    ...{ operate: nothing, gates: nothing },
  };
  const read = await readSettings({ color: false, config: file }, io, dependencies);
  return read.ok ? { ok: true as const, ...openSession({ color: false }, read.value, io, dependencies) } : read;
}

/** The example of each setting, as the schema has it; those of secrets name files that are there. */
async function writeExamples(t: ExecutionContext, changes: Readonly<Record<string, Json>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-settings-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'secret'), 'in-a-file');
  const root: Record<string, Json> = {};
  for (const setting of settings) {
    const { path, variable } = setting;
    const [first = '', second] = path.map(String);
    const value = changes[variable] ?? exampleOf(setting);
    if (second === undefined) root[first] = value;
    else root[first] = { ...(root[first] as object | undefined), [second]: value };
  }
  const file = join(folder, 'sluice.yaml');
  await writeFile(file, JSON.stringify(root));
  return file;
}

function exampleOf({ path, form }: Setting): Json {
  const schema = path.reduce(below, configSchema);
  const [example = null] = schema.examples ?? [];
  if (form !== 'secretFile') return example;
  return typeof example === 'string' ? 'secret' : { NAME: 'secret' };
}

/** Another value than the example, as the environment has it. */
function otherThan(setting: Setting): string {
  const example = exampleOf(setting);
  const ofForm: Readonly<Record<string, string>> = {
    address: 'https://env.example',
    listenAddress: '127.0.0.1:9',
    databaseAddress: 'postgres://env.example/sluice',
    gatewayName: 'env/gateway',
    quantity: '7',
    place: '/env/place',
    word: setting.variable === 'SLUICE_IMAGES' ? 'env=env.example/image:1' : 'env.example:1',
  };
  if (example === 'kubernetes') return 'local';
  return typeof example === 'number' ? String(example + 1) : (ofForm[setting.form] ?? 'of-the-environment');
}

test('for every setting the file counts over the default, and the environment over the file', async (t) => {
  const file = await writeExamples(t);
  const plain = await open(file, {});
  if (!plain.ok) return t.fail(JSON.stringify(plain.problems));
  for (const { key, origin } of await plain.session.settings()) t.is(origin.from, 'file', key);
  for (const setting of settings) {
    const { variable } = setting;
    const other = await open(file, { [variable]: otherThan(setting) });
    if (!other.ok) return t.fail(variable);
    const changed = (await other.session.settings()).filter(({ origin }) => origin.from !== 'file');
    t.deepEqual(
      changed.map(({ origin }) => origin),
      [{ from: 'environment', variable }],
    );
    t.notDeepEqual(other.session.config, plain.session.config, variable);
    const empty = await open(file, { [variable]: '' });
    t.deepEqual(empty.ok && empty.session.config, plain.session.config, `${variable} that is empty says nothing`);
  }
});

test('what a command is told counts over the environment', (t) => {
  const variables = { SLUICE_HOME: '/env', SLUICE_JOBS: '3', SLUICE_EXECUTOR: 'local', SLUICE_LISTEN: '127.0.0.1:1' };
  const given: Required<Pick<Overrides, 'home' | 'jobs' | 'executor' | 'listen'>> = {
    ...{ home: '/given', jobs: '4', executor: 'kubernetes', listen: '127.0.0.1:2' },
  };
  const config = loadConfig({ ...machine, variables }, given);
  t.like(config, { home: '/given', jobs: 4, executor: 'kubernetes', listen: { host: '127.0.0.1', port: 2 } });
});

const nasty: readonly Json[] = [
  ...[
    '',
    ' ',
    'a b',
    ':',
    'a,b=c',
    '\u0007',
    '../..',
    'http://',
    'http://a:99999',
    'https://[',
    'x/y',
    '1.2.3.4:70000',
    '1e9',
    '-1',
  ],
  ...['999999999999999999999', '\ud83d\ude00', '$&', '__proto__', -1, 0, 1.5, 1e21, true, false, null, [], {}],
  ...[['a b'], [[]], { a: 'b c' }, { 'a=b': 'x' }, { A: 'nowhere' }, { a: null }],
];

test('no value of any setting is a riddle: it counts, or is a mistake with a place in the file and a next step', async (t) => {
  for (const { variable } of settings) {
    for (const value of nasty) {
      const file = await writeExamples(t, { [variable]: value });
      const title = `${variable}: ${JSON.stringify(value)}`;
      try {
        const opened = await open(file, {});
        if (opened.ok) t.truthy(await opened.session.settings(), title);
        else
          for (const { line, column, hint, message } of opened.problems) {
            t.true(line >= 1 && column >= 1, title);
            if (hint === undefined) t.regex(message, /must be at (least|most) \d+\.$/, title);
          }
      } catch (error) {
        t.like(error, { code: 'ERR_USAGE' }, title);
        t.regex(String(error), new RegExp(`${variable} \\(${file}:1:\\d+\\) `), title);
        t.truthy((error as { readonly hint?: string }).hint, title);
      }
    }
  }
});
