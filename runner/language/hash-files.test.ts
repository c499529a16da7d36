import test from 'ava';
import { hashFilesOf } from './hash-files.ts';

const files = [
  { path: 'package-lock.json', oid: '1'.repeat(40) },
  { path: 'api/package-lock.json', oid: '2'.repeat(40) },
  { path: '.tool-versions', oid: '3'.repeat(40) },
];

test('the digest is the same in whatever order the files come', (t) => {
  const digest = hashFilesOf(files)(['**/package-lock.json']);
  t.regex(digest, /^[0-9a-f]{64}$/);
  t.is(hashFilesOf(files.toReversed())(['**/package-lock.json']), digest);
});

test('the digest changes with a content, a name, and a file more', (t) => {
  const [first, second, third] = files;
  t.truthy(first && second && third);
  const digests = [
    files,
    [{ path: 'package-lock.json', oid: '9'.repeat(40) }],
    [{ path: 'x/package-lock.json', oid: '1'.repeat(40) }],
    files.slice(0, 1),
  ].map((some) => hashFilesOf(some)(['**/package-lock.json']));
  t.is(new Set(digests).size, digests.length);
});

test('files whose names begin with a dot are found', (t) => {
  t.notThrows(() => hashFilesOf(files)(['.tool-versions']));
  t.notThrows(() => hashFilesOf(files)(['**/*versions']));
});

test('patterns that fit nothing or leave the workspace are refused', (t) => {
  t.throws(() => hashFilesOf(files)(['go.sum', 'go.mod']), {
    message: 'No file of the commit fits `go.sum` or `go.mod`',
  });
  t.throws(() => hashFilesOf(files)(['../secret']), { message: /leaves the workspace/ });
});
