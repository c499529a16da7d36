import test from 'ava';
import { SluiceError } from '../model/errors.ts';
import { parseReference, referenceText } from './image-reference.ts';

const digest = `sha256:${'0'.repeat(64)}`;

const understood: readonly (readonly [
  text: string,
  host: string,
  repository: string,
  tag?: string | undefined,
  digest?: string,
])[] = [
  ['node', 'docker.io', 'library/node'],
  ['node:22', 'docker.io', 'library/node', '22'],
  ['team/app:1.0', 'docker.io', 'team/app', '1.0'],
  ['docker.io/node', 'docker.io', 'library/node'],
  ['localhost/app', 'localhost', 'app'],
  ['localhost:5000/app', 'localhost:5000', 'app'],
  ['registry.example/a/b__c/d-e.f:v1_2', 'registry.example', 'a/b__c/d-e.f', 'v1_2'],
  ['[::1]:5000/app', '[::1]:5000', 'app'],
  [`r.example/app@${digest}`, 'r.example', 'app', undefined, digest],
  [`r.example/app:v1@${digest}`, 'r.example', 'app', 'v1', digest],
];

for (const [text, host, repository, tag, expected] of understood) {
  test(`the reference ${text} is understood`, (t) => {
    const parsed = parseReference(text);
    t.deepEqual(parsed, { host, repository, ...(tag && { tag }), ...(expected && { digest: expected }) });
    t.deepEqual(parseReference(referenceText(parsed)), parsed);
  });
}

const refused = [
  '',
  'App',
  'r.example/',
  'r.example/app:',
  'r.example/app@sha256:12',
  `r.example/app@sha512:${'0'.repeat(128)}`,
  'r.example/../app',
  'r.example/a//b',
  'https://r.example/app',
  'user:word@r.example/app',
  'r.example/app:a b',
  'r.example/app\n',
  'r.example:99999999/app',
  `r.example/${'a'.repeat(600)}`,
];

for (const text of refused) {
  test(`${JSON.stringify(text.slice(0, 60))} is no reference`, (t) => {
    t.throws(() => parseReference(text), { instanceOf: SluiceError, code: 'ERR_USAGE' });
  });
}
