import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import fc from 'fast-check';
import { SluiceError } from '../model/errors.ts';
import { findFiles } from './find-files.ts';
import { packTar } from './pack-tar.ts';
import { unpackTar } from './unpack-tar.ts';

function emptyFolder(t: ExecutionContext): string {
  const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'sluice-pack-')));
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(folder, path)), { recursive: true });
    fs.writeFileSync(join(folder, path), content);
  }
}

async function bytesOf(content: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('the same tree gives the same bytes, whatever its times, owner modes and the order of paths', async (t) => {
  const [one, two] = [emptyFolder(t), emptyFolder(t)];
  for (const folder of [one, two]) {
    write(folder, { 'a/b': 'b', 'a.txt': 'a', tool: '#!/bin/sh' });
    fs.symlinkSync('a/b', join(folder, 'link'));
    fs.mkdirSync(join(folder, 'empty'));
  }
  fs.chmodSync(join(one, 'tool'), 0o755);
  fs.chmodSync(join(two, 'tool'), 0o710);
  fs.chmodSync(join(two, 'a.txt'), 0o600);
  fs.utimesSync(join(two, 'a/b'), 1, 1);
  const first = await bytesOf(packTar(one, ['a/b', 'a.txt', 'tool', 'link', 'empty']));
  const second = await bytesOf(packTar(two, ['empty', 'link', 'tool', 'a.txt', 'a/b', 'a/b']));
  t.deepEqual(first, second);
});

test('other programs read the archive: long names, long targets, other alphabets', async (t) => {
  const folder = emptyFolder(t);
  const long = `${'folder/'.repeat(20)}${'n'.repeat(120)}.txt`;
  write(folder, { [long]: 'long', 'Ω/🌟.txt': 'star', 'two\nlines': 'lf', tool: 'x' });
  fs.symlinkSync(long, join(folder, 'link'));
  fs.chmodSync(join(folder, 'tool'), 0o755);
  const { paths } = await findFiles(folder, ['**']);
  fs.writeFileSync(join(folder, 'out.tar'), await bytesOf(packTar(folder, paths)));

  const list = execFileSync('tar', ['-tvf', 'out.tar', '--quoting-style=escape', '--numeric-owner'], { cwd: folder });
  const lines = list.toString().trim().split('\n');
  const fields = lines.map((line) => line.replace(/\s+/g, ' '));
  t.true(fields.includes(`-rw-r--r-- 0/0 4 1970-01-01 00:00 ${long}`), list.toString());
  t.true(fields.includes(`lrwxrwxrwx 0/0 0 1970-01-01 00:00 link -> ${long}`));
  t.true(fields.some((line) => line.startsWith('-rwxr-xr-x 0/0 1') && line.endsWith('tool')));
  t.true(fields.some((line) => line.endsWith('two\\nlines')));
  t.is(execFileSync('tar', ['-xOf', 'out.tar', 'Ω/🌟.txt'], { cwd: folder }).toString(), 'star');
});

test('what is packed and unpacked again is what it was, for any names and contents', async (t) => {
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter((text) => {
    return !/[/\0\uFFFD]/.test(text) && text.isWellFormed() && text !== '.' && text !== '..';
  });
  const tree = fc.dictionary(
    fc.tuple(fc.integer({ min: 0, max: 3 }), name).map(([folder, file]) => `d${folder}/${file}`),
    fc.string({ maxLength: 2_000 }),
    { maxKeys: 20, noNullPrototype: true },
  );
  await fc.assert(
    fc.asyncProperty(tree, async (files) => {
      const [from, to] = [emptyFolder(t), emptyFolder(t)];
      write(from, files);
      const found = await findFiles(from, ['**']);
      await unpackTar(packTar(from, found.paths), to);
      const back = await findFiles(to, ['**']);
      const contents = back.files.map(({ path, absolute }) => [path, fs.readFileSync(absolute, 'utf8')]);
      t.deepEqual(Object.fromEntries(contents), files);
    }),
    { numRuns: 30 },
  );
});

test('paths below the home folder keep their ~/ in front', async (t) => {
  const [folder, home, again] = [emptyFolder(t), emptyFolder(t), emptyFolder(t)];
  write(folder, { 'build/x': '1', '~/y': '2' });
  write(home, { '.npm/z': '3' });
  const { paths } = await findFiles(folder, ['~/.npm', 'build', '**/y'], { home });
  await unpackTar(packTar(folder, paths, home), folder, { home: again });
  t.is(fs.readFileSync(join(again, '.npm/z'), 'utf8'), '3');
  t.deepEqual(fs.readdirSync(again), ['.npm']);
});

test('links with absolute targets inside become relative, links to the outside are refused', async (t) => {
  const [folder, again] = [emptyFolder(t), emptyFolder(t)];
  write(folder, { 'a/b': 'b' });
  fs.symlinkSync(join(folder, 'a/b'), join(folder, 'inside'));
  await unpackTar(packTar(folder, ['inside']), again);
  t.is(fs.readlinkSync(join(again, 'inside')), 'a/b');

  for (const target of ['/etc/passwd', '../x', 'a/../../x']) {
    fs.rmSync(join(folder, 'out'), { force: true });
    fs.symlinkSync(target, join(folder, 'out'));
    await t.throwsAsync(bytesOf(packTar(folder, ['out'])), { instanceOf: SluiceError, code: 'ERR_WORKSPACE' }, target);
  }
});

test('paths that leave the folder, are missing or are no file are refused', async (t) => {
  const folder = emptyFolder(t);
  const secret = join(folder, '..', 'sluice-secret');
  fs.mkdirSync(join(folder, 'inner'));
  fs.symlinkSync('/etc', join(folder, 'inner/etc'));
  execFileSync('mkfifo', [join(folder, 'inner/fifo')]);
  fs.writeFileSync(join(folder, 'inner/real'), '');
  fs.symlinkSync('..', join(folder, 'inner/link'));
  fs.symlinkSync('inner', join(folder, 'below'));
  for (const path of ['../inner/real', 'etc/hostname', 'etc/ssl', 'link/below', 'missing', 'fifo', secret]) {
    const packing = bytesOf(packTar(join(folder, 'inner'), [path]));
    await t.throwsAsync(packing, { instanceOf: SluiceError, code: 'ERR_WORKSPACE' }, path);
  }
});

test('a file that shrinks while it is packed is an error, not a short archive', async (t) => {
  const folder = emptyFolder(t);
  write(folder, { first: 'x'.repeat(1_000_000), second: 'x'.repeat(1_000) });
  const packed = packTar(folder, ['first', 'second']);
  const reading = packed[Symbol.asyncIterator]();
  await reading.next();
  fs.truncateSync(join(folder, 'first'), 500_000);
  await t.throwsAsync(
    async () => {
      while ((await reading.next()).done !== true);
    },
    { instanceOf: SluiceError, code: 'ERR_WORKSPACE' },
  );
});

test('a reader that stops early leaves no file open', async (t) => {
  const folder = emptyFolder(t);
  write(folder, { large: 'x'.repeat(1_000_000) });
  const opened = () => fs.readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`));
  const packed = packTar(folder, ['large']);
  await packed[Symbol.asyncIterator]().next();
  t.true(opened().includes(join(folder, 'large')));
  packed.destroy();
  await once(packed, 'close');
  t.false(opened().includes(join(folder, 'large')));
});

function linkOf(path: string): string {
  try {
    return fs.readlinkSync(path);
  } catch {
    return '';
  }
}
