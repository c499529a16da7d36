import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SluiceError } from '../model/errors.ts';
import { findFiles, openFound } from './find-files.ts';

/** A workspace with files that hold their own paths. */
function workspace(t: ExecutionContext, ...paths: readonly string[]): string {
  const outer = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'sluice-find-')));
  t.teardown(() => fs.rmSync(outer, { recursive: true, force: true }));
  fs.writeFileSync(join(outer, 'secret.xml'), 'secret');
  const folder = join(outer, 'workspace');
  fs.mkdirSync(folder);
  for (const path of paths) {
    fs.mkdirSync(dirname(join(folder, path)), { recursive: true });
    fs.writeFileSync(join(folder, path), path);
  }
  return folder;
}

const files = [
  'a.xml',
  'coverage/.last',
  'coverage/lcov.info',
  'coverage/src/x.html',
  'reports/a.xml',
  'reports/b.txt',
  'reports/deep/c.xml',
  '.hidden/d.xml',
];

const cases: readonly (readonly [glob: string, found: readonly string[]])[] = [
  ['reports/*.xml', ['reports/a.xml']],
  ['reports/**/*.xml', ['reports/a.xml', 'reports/deep/c.xml']],
  ['**/*.xml', ['.hidden/d.xml', 'a.xml', 'reports/a.xml', 'reports/deep/c.xml']],
  ['*.xml', ['a.xml']],
  ['*/*.xml', ['.hidden/d.xml', 'reports/a.xml']],
  ['{reports,.hidden}/*.xml', ['.hidden/d.xml', 'reports/a.xml']],
  ['reports/{a.xml,deep/c.xml}', ['reports/a.xml', 'reports/deep/c.xml']],
  ['reports/[ab].*', ['reports/a.xml', 'reports/b.txt']],
  ['coverage', ['coverage/.last', 'coverage/lcov.info', 'coverage/src/x.html']],
  ['coverage/', ['coverage/.last', 'coverage/lcov.info', 'coverage/src/x.html']],
  ['coverage/**', ['coverage/.last', 'coverage/lcov.info', 'coverage/src/x.html']],
  ['./coverage//lcov.info', ['coverage/lcov.info']],
  ['cover*', []],
  ['.', files.toSorted()],
  ['missing', []],
  ['missing/**/*.xml', []],
  ['a.xml/b', []],
  ['!a.xml', []],
];

for (const [glob, expected] of cases) {
  test(`${glob} finds ${expected.length} files`, async (t) => {
    const found = await findFiles(workspace(t, ...files), [glob]);
    t.deepEqual(
      found.files.map(({ path }) => path),
      expected,
    );
    t.deepEqual(found.unsafe, []);
  });
}

test('files come once, sorted, with real path, size and mode', async (t) => {
  const folder = workspace(t, 'b', 'a/tool');
  fs.chmodSync(join(folder, 'a/tool'), 0o755);
  const found = await findFiles(folder, ['b', '**', 'a']);
  const changedMs = (path: string): number => fs.lstatSync(join(folder, path)).ctimeMs;
  t.deepEqual(found.files, [
    {
      path: 'a/tool',
      absolute: join(folder, 'a/tool'),
      root: folder,
      bytes: 6,
      mode: 0o755,
      changedMs: changedMs('a/tool'),
    },
    { path: 'b', absolute: join(folder, 'b'), root: folder, bytes: 1, mode: 0o644, changedMs: changedMs('b') },
  ]);
});

test('links to files inside are read, links to folders inside are kept but not followed behind a wildcard', async (t) => {
  const folder = workspace(t, 'runs/1/a.xml');
  fs.symlinkSync('1', join(folder, 'runs/latest'));
  fs.symlinkSync('runs/1/a.xml', join(folder, 'last.xml'));
  fs.symlinkSync('..', join(folder, 'runs/1/loop'));
  fs.symlinkSync('nowhere', join(folder, 'dangling'));

  const all = await findFiles(folder, ['**']);
  t.deepEqual(
    all.files.map(({ path, absolute }) => [path, absolute]),
    [
      ['last.xml', join(folder, 'runs/1/a.xml')],
      ['runs/1/a.xml', join(folder, 'runs/1/a.xml')],
    ],
  );
  t.deepEqual(all.paths, ['dangling', 'last.xml', 'runs/1/a.xml', 'runs/1/loop', 'runs/latest']);
  t.deepEqual(all.unsafe, []);

  const named = await findFiles(folder, ['runs/latest/*.xml']);
  t.deepEqual(named.paths, ['runs/latest/a.xml']);
});

const escapes: readonly (readonly [what: string, glob: string, unsafe: string])[] = [
  ['a link to a file outside', 'reports/*.xml', 'reports/out.xml'],
  ['a link to a file outside, named', 'reports/out.xml', 'reports/out.xml'],
  ['a link to a folder outside', 'reports/*', 'reports/up'],
  ['a path through a link to the outside', 'reports/up/*.xml', 'reports/up'],
  ['a path through a link to the outside, named', 'reports/up/secret.xml', 'reports/up/secret.xml'],
  ['a dangling link to the outside', 'dangling', 'dangling'],
  ['a path with ..', '../secret.xml', '../secret.xml'],
  ['a glob with .. inside', 'reports/../../*.xml', 'reports/../../*.xml'],
  ['an absolute path', '/etc/passwd', '/etc/passwd'],
  ['a home folder that there is none of', '~/.npmrc', '~/.npmrc'],
];

for (const [what, glob, unsafe] of escapes) {
  test(`${what} is reported and not read`, async (t) => {
    const folder = workspace(t, 'reports/a.txt');
    fs.symlinkSync('../../secret.xml', join(folder, 'reports/out.xml'));
    fs.symlinkSync('../..', join(folder, 'reports/up'));
    fs.symlinkSync('../not-there', join(folder, 'dangling'));
    const found = await findFiles(folder, [glob]);
    t.true(found.unsafe.includes(unsafe), found.unsafe.join());
    t.false(
      [...found.paths, ...found.files.map(({ absolute }) => absolute)].some((path) => /secret|out|up/.test(path)),
    );
  });
}

test('globs below the home folder are looked up there', async (t) => {
  const [folder, home] = [workspace(t, 'x/cache'), workspace(t, '.npm/a/b', '.npmrc')];
  const found = await findFiles(folder, ['~/.npm', 'x/*'], { home });
  t.deepEqual(found.paths, ['x/cache', '~/.npm/a/b']);
  t.is(found.files.at(-1)?.root, home);
});

test('empty folders are handed over, fifos and sockets are not', async (t) => {
  const folder = workspace(t, 'a/x');
  fs.mkdirSync(join(folder, 'a/empty'));
  execFileSync('mkfifo', [join(folder, 'a/fifo')]);
  const found = await findFiles(folder, ['a']);
  t.deepEqual(found.paths, ['a/empty', 'a/x']);
});

test('only folders that can hold matches are walked', async (t) => {
  const folder = workspace(
    t,
    'reports/a.xml',
    'node_modules/x/y.xml',
    'packages/one/junit.xml',
    'packages/one/node_modules/z/junit.xml',
  );
  // A folder that may not be opened tells whether somebody tried.
  fs.chmodSync(join(folder, 'node_modules'), 0o000);
  fs.chmodSync(join(folder, 'packages/one/node_modules'), 0o000);
  t.teardown(() => {
    fs.chmodSync(join(folder, 'node_modules'), 0o755);
    fs.chmodSync(join(folder, 'packages/one/node_modules'), 0o755);
  });
  const asUser = process.getuid?.() !== 0;
  for (const glob of ['reports/*.xml', 'reports/**', '*.xml', 'packages/*/junit.xml']) {
    await t.notThrowsAsync(findFiles(folder, [glob]), glob);
  }
  if (asUser) await t.throwsAsync(findFiles(folder, ['**/*.xml']));
});

test('a found file that is swapped for a link, a fifo or a shorter file is not read', async (t) => {
  const swaps: Readonly<Record<string, (path: string) => void>> = {
    'link to the outside': (path) => fs.symlinkSync('../secret.xml', path),
    'link to a file inside': (path) => fs.symlinkSync('another.xml', path),
    fifo: (path) => execFileSync('mkfifo', [path]),
    shorter: (path) => fs.writeFileSync(path, ''),
    folder: (path) => fs.mkdirSync(path),
  };
  for (const [what, swap] of Object.entries(swaps)) {
    const folder = workspace(t, 'report.xml', 'another.xml');
    const [found] = (await findFiles(folder, ['report.xml'])).files;
    fs.rmSync(join(folder, 'report.xml'));
    swap(join(folder, 'report.xml'));
    t.truthy(found);
    const reading = found === undefined ? [] : openFound(found).toArray();
    await t.throwsAsync(Promise.resolve(reading), { instanceOf: SluiceError, code: 'ERR_WORKSPACE' }, what);
  }
});

test('a found file whose folder is swapped for a link to the outside is not read', async (t) => {
  const folder = workspace(t, 'reports/secret.xml');
  const [found] = (await findFiles(folder, ['reports/*'])).files;
  fs.renameSync(join(folder, 'reports'), join(folder, 'moved'));
  fs.symlinkSync('..', join(folder, 'reports'));
  const reading = found === undefined ? [] : openFound(found).toArray();
  await t.throwsAsync(Promise.resolve(reading), { instanceOf: SluiceError, code: 'ERR_WORKSPACE' });
});

test('an aborted search ends with ERR_ABORTED', async (t) => {
  const search = findFiles(workspace(t, 'a'), ['**'], { signal: AbortSignal.abort() });
  await t.throwsAsync(search, { instanceOf: SluiceError, code: 'ERR_ABORTED' });
});
