import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { listTree, packTree } from './pack-tree.ts';

const never = new AbortController().signal;

function emptyFolder(t: ExecutionContext): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'sluice-tree-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(folder, path)), { recursive: true });
    fs.writeFileSync(join(folder, path), content);
  }
}

async function pack(folder: string, below = 'app', paths: readonly string[] = ['']): Promise<Buffer> {
  return buffer(packTree(folder, await listTree(folder, paths, never), below));
}

test('the same tree gives the same bytes, whatever its folder, times, umask and the order in which it was made', async (t) => {
  const [one, two] = [emptyFolder(t), emptyFolder(t)];
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  write(one, { 'b/x': 'x', a: 'a', 'b/y': 'y' });
  fs.symlinkSync(join(one, 'b/x'), join(one, 'link'));
  process.umask(0o002);
  write(two, { 'b/y': 'y', 'b/x': 'x' });
  fs.symlinkSync('b/x', join(two, 'link'));
  write(two, { a: 'a' });
  fs.utimesSync(join(two, 'a'), 1, 1);
  t.deepEqual(await pack(one), await pack(two));
});

test('every folder on the way is a member, owned by root, and everything lies below the given folder', async (t) => {
  const folder = emptyFolder(t);
  write(folder, { 'bin/tool': '#!/bin/sh', 'empty/later': '' });
  fs.rmSync(join(folder, 'empty/later'));
  fs.chmodSync(join(folder, 'bin/tool'), 0o4711);
  fs.writeFileSync(join(folder, 'out.tar'), await pack(folder, 'srv/app', ['bin', 'empty']));
  const list = execFileSync('tar', ['-tvf', join(folder, 'out.tar'), '--numeric-owner']).toString();
  t.deepEqual(
    list
      .trim()
      .split('\n')
      .map((line) => line.replace(/\s+/g, ' ')),
    [
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 srv/app/',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 srv/app/bin/',
      '-rwxr-xr-x 0/0 9 1970-01-01 00:00 srv/app/bin/tool',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 srv/app/empty/',
    ],
  );
});

test('of a list only what it names is packed, with the folders around it', async (t) => {
  const folder = emptyFolder(t);
  write(folder, { 'a/b/c': '1', 'a/b/d': '2', 'a/e': '3', f: '4' });
  t.deepEqual(await listTree(folder, ['./f', 'a/b/c'], never), ['a', 'a/b', 'a/b/c', 'f']);
  t.deepEqual(await listTree(folder, ['a/b'], never), ['a', 'a/b', 'a/b/c', 'a/b/d']);
});

test('a link to a folder is that folder; a file is none, and neither is nothing', async (t) => {
  const folder = emptyFolder(t);
  write(folder, { 'tree/a': '1' });
  fs.symlinkSync('tree', join(folder, 'link'));
  t.deepEqual(await pack(join(folder, 'link')), await pack(join(folder, 'tree')));
  for (const path of ['tree/a', 'none']) {
    await t.throwsAsync(pack(join(folder, path)), { code: 'ERR_WORKSPACE', message: new RegExp(path) });
  }
});

test('a path that is missing, leaves the folder or goes through a link is refused', async (t) => {
  const folder = emptyFolder(t);
  write(folder, { 'a/b': '1' });
  fs.symlinkSync('a', join(folder, 'link'));
  for (const path of ['none', '../x', '/etc/passwd', 'a/../../x', 'link/b', 'a/b/c']) {
    await t.throwsAsync(listTree(folder, [path], never), { code: 'ERR_WORKSPACE' }, path);
  }
});

test('links to the outside are refused', async (t) => {
  for (const target of ['/etc/passwd', '../x', 'a/../../x']) {
    const folder = emptyFolder(t);
    fs.symlinkSync(target, join(folder, 'link'));
    await t.throwsAsync(pack(folder), { code: 'ERR_WORKSPACE', message: /link/ }, target);
  }
});

test('a pipe, a socket and a device are refused by name', async (t) => {
  const folder = emptyFolder(t);
  const make: Readonly<Record<string, () => unknown>> = {
    pipe: () => execFileSync('mkfifo', [join(folder, 'pipe')]),
    socket: () =>
      new Promise<void>((listening) => {
        const server = createServer().listen(join(folder, 'socket'), listening);
        t.teardown(() => server.close());
      }),
    ...(process.getuid?.() === 0 && { device: () => execFileSync('mknod', [join(folder, 'device'), 'c', '1', '3']) }),
  };
  for (const [name, create] of Object.entries(make)) {
    await create();
    await t.throwsAsync(pack(folder), { code: 'ERR_WORKSPACE', message: new RegExp(`"${name}"`) });
    fs.rmSync(join(folder, name));
  }
  t.true((await pack(folder)).length > 0);
});

test('a name that is not UTF-8 is refused', async (t) => {
  const folder = emptyFolder(t);
  fs.writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x66, 0xff])]), '');
  await t.throwsAsync(pack(folder), { code: 'ERR_WORKSPACE', message: /UTF-8/ });
});

test('paths as long as the system allows come through', async (t) => {
  const folder = emptyFolder(t);
  const path = `${'n'.repeat(255)}/${'m'.repeat(255)}/${'Ω'.repeat(120)}`;
  write(folder, { [path]: 'deep' });
  const tar = await pack(folder);
  t.is(execFileSync('tar', ['-xOf', '-', `app/${path}`], { input: tar }).toString(), 'deep');
});

for (const [title, change] of [
  ['grows', (file: string) => fs.appendFileSync(file, 'x')],
  ['shrinks', (file: string) => fs.truncateSync(file, 500_000)],
  ['is written anew with as many bytes', (file: string) => fs.writeFileSync(file, 'y'.repeat(1_000_000))],
  ['is replaced', (file: string) => fs.renameSync(`${file}.new`, file)],
] as const) {
  test(`a file that ${title} while it is read is an error`, async (t) => {
    const folder = emptyFolder(t);
    write(folder, { file: 'x'.repeat(1_000_000), 'file.new': 'y'.repeat(1_000_000) });
    const reading = packTree(folder, await listTree(folder, ['file'], never), '')[Symbol.asyncIterator]();
    await reading.next();
    change(join(folder, 'file'));
    await t.throwsAsync(
      async () => {
        while ((await reading.next()).done !== true);
      },
      { code: 'ERR_WORKSPACE' },
    );
  });
}

test('looking for files ends when nobody wants them any more', async (t) => {
  const folder = emptyFolder(t);
  write(folder, { 'a/b': '' });
  await t.throwsAsync(listTree(folder, [''], AbortSignal.abort()), { code: 'ERR_ABORTED' });
});
