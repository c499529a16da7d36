import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SluiceError } from '../model/errors.ts';
import { readSubscribers, rulesFor } from './read-subscribers.ts';

const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const app = { name: 'app', url: 'https://app.example/events', secretFile: 'app.secret' };

async function written(t: ExecutionContext, list: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-subscribers-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'app.secret'), `${secret}\n`);
  await writeFile(join(folder, 'weak.secret'), 'password');
  const path = join(folder, 'subscribers.json');
  await writeFile(path, typeof list === 'string' ? list : JSON.stringify(list));
  return path;
}

test('subscribers are read with the secrets in files beside them, and their hosts may be told', async (t) => {
  const near = { ...app, name: 'near', url: 'http://10.0.0.7:3000/', repositories: ['shop/orders'], private: true };
  const subscribers = await readSubscribers(await written(t, [app, near]));
  const { url } = app;
  t.deepEqual(subscribers, [
    { name: 'app', url, secret, repositories: undefined, private: false },
    { name: 'near', url: near.url, secret, repositories: ['shop/orders'], private: true },
  ]);
  t.deepEqual(rulesFor(subscribers), { hosts: ['app.example'], privateHosts: ['10.0.0.7:3000'] });
});

const mistakes: readonly (readonly [unknown, RegExp])[] = [
  ['[', /subscribers\.json is no JSON/],
  [{}, /subscribers\.json: it is no list/],
  [[1], /: \[0\] is no object/],
  [[app, app], /: \[1\]\.name is there twice/],
  [[{ ...app, uri: 'x' }], /: \[0\]\.uri is not known/],
  [[{ ...app, url: 7 }], /: \[0\]\.url is missing or no text/],
  [[{ ...app, url: 'app.example' }], /: \[0\]\.url is no address/],
  [[{ ...app, url: 'https://ada:pw@app.example' }], /: \[0\]\.url is no address/],
  [[{ ...app, repositories: 'shop' }], /: \[0\]\.repositories is no list/],
  [[{ ...app, private: 'yes' }], /: \[0\]\.private is neither/],
  [[{ ...app, secretFile: 'none' }], /: \[0\]\.secretFile .*none cannot be read/],
  [[{ ...app, secretFile: 'weak.secret' }], /: \[0\]\.secretFile holds no signing secret/],
];

for (const [list, message] of mistakes) {
  test(`a mistake says its place and the next step: ${JSON.stringify(list)}`, async (t) => {
    const error = await t.throwsAsync(readSubscribers(await written(t, list)), { instanceOf: SluiceError, message });
    t.is(error.code, 'ERR_USAGE');
    t.truthy(error.hint);
    t.notRegex(error.message, /pw@|password/);
  });
}

test('a list that is not there is a mistake of the configuration', async (t) => {
  await t.throwsAsync(readSubscribers('/nowhere/subscribers.json'), { code: 'ERR_USAGE', message: /cannot be read/ });
});
