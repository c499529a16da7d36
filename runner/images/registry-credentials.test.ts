import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SluiceError } from '../model/errors.ts';
import { readCredentials } from './registry-credentials.ts';

const auth = (text: string): string => Buffer.from(text).toString('base64');

function file(t: ExecutionContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-credentials-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'config.json');
  writeFileSync(path, content);
  return path;
}

test('a credential is found by registry, or by the longest path in it', async (t) => {
  const credentials = await readCredentials(
    file(
      t,
      JSON.stringify({
        auths: {
          'r.example': { auth: auth('all:a:b') },
          'r.example/team': { auth: auth('team:c') },
          'r.example/team/app': { username: 'app', password: 'd' },
          'https://other.example/v2/': { auth: auth('other:e') },
          'https://index.docker.io/v1/': { auth: auth('hub:f') },
          'token.example': { auth: auth('ignored:g'), identitytoken: 'refresh' },
          'helper.example': {},
        },
        credHelpers: { 'helper.example': 'gcloud' },
      }),
    ),
  );
  t.deepEqual(credentials('r.example', 'x'), { username: 'all', password: 'a:b' });
  t.deepEqual(credentials('r.example', 'team/other'), { username: 'team', password: 'c' });
  t.deepEqual(credentials('r.example', 'team/app'), { username: 'app', password: 'd' });
  t.deepEqual(credentials('r.example', 'teams'), { username: 'all', password: 'a:b' });
  t.deepEqual(credentials('other.example', 'x'), { username: 'other', password: 'e' });
  t.deepEqual(credentials('docker.io', 'library/node'), { username: 'hub', password: 'f' });
  t.deepEqual(credentials('token.example', 'x'), { identityToken: 'refresh' });
  t.is(credentials('helper.example', 'x'), undefined);
  t.is(credentials('r.example:5000', 'x'), undefined);
});

test('a file without entries has no credentials', async (t) => {
  for (const content of ['{}', '{"auths":{}}', '[]']) {
    t.is((await readCredentials(file(t, content)))('r.example', 'x'), undefined);
  }
});

const faulty: readonly (readonly [title: string, content: string])[] = [
  ['no JSON', '{"auths": {"r.example": {"auth": "hunter2'],
  [
    'an entry that is no base64 of USER:PASSWORD',
    JSON.stringify({ auths: { 'r.example': { auth: auth('hunter2') } } }),
  ],
];

for (const [title, content] of faulty) {
  test(`a file with ${title} is named, and nothing that stands in it`, async (t) => {
    const path = file(t, content);
    const error = await t.throwsAsync(readCredentials(path), { instanceOf: SluiceError, code: 'ERR_UNREADABLE' });
    t.true(error.message.includes(path));
    t.notRegex(`${error.message} ${error.hint ?? ''}`, /hunter2|aHVudGVyM/);
  });
}

test('a file that is not there is named', async (t) => {
  const error = await t.throwsAsync(readCredentials('/nowhere/auth.json'), { code: 'ERR_UNREADABLE' });
  t.regex(error.message, /\/nowhere\/auth\.json/);
});
