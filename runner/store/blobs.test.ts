import { execFile } from 'node:child_process';
import promises, { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { blobsContract, sha256OfHello, streamOf } from './blobs-contract.ts';
import { openBlobs } from './blobs.ts';
import { thisProcess } from './owner.ts';

async function newFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-blobs-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

/** Files below the folder, without the folders themselves. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

blobsContract(async (t) => {
  const folder = await newFolder(t);
  return {
    open: () => openBlobs(folder),
    names: () => filesIn(folder),
    damage: async (sha256, bytes) => {
      const file = join(folder, sha256.slice(0, 2), sha256);
      await chmod(file, 0o600);
      await writeFile(file, bytes);
    },
  };
});

test.serial('the bytes are on disk before they get their name, and the name before anybody is told', async (t) => {
  const folder = await newFolder(t);
  const blobs = await openBlobs(folder);
  const calls: string[] = [];
  const handle = await promises.open(folder);
  const restore = [
    observe(Object.getPrototypeOf(handle) as FileHandle, 'sync', async (file) => {
      calls.push((await file.stat()).isDirectory() ? 'sync folder' : 'sync file');
    }),
    observe(promises, 'rename', () => Promise.resolve(void calls.push('rename'))),
  ];
  t.teardown(() => restore.forEach((undo) => undo()));
  await handle.close();
  await blobs.put(streamOf('hello'));
  t.deepEqual(calls, ['sync file', 'sync folder', 'rename', 'sync folder']);
});

/** Reports each call of a method before it is carried out; the answer ends the watch. */
function observe<Target extends object>(target: Target, name: keyof Target, report: (on: Target) => Promise<void>) {
  const original = target[name] as (...values: unknown[]) => unknown;
  const replace = (method: unknown) => {
    Reflect.set(target, name, method);
    syncBuiltinESMExports();
  };
  replace(async function (this: Target, ...values: unknown[]) {
    await report(this);
    return original.apply(this, values);
  });
  return () => replace(original);
}

test('a folder that cannot be made is named', async (t) => {
  const file = join(await newFolder(t), 'file');
  await writeFile(file, '');
  await t.throwsAsync(openBlobs(join(file, 'blobs')), { code: 'ERR_UNREADABLE', message: /file\/blobs/ });
});

test('an unknown blob is not found, and no name leads out of the folder', async (t) => {
  const folder = await newFolder(t);
  const blobs = await openBlobs(join(folder, 'blobs'));
  await writeFile(join(folder, 'secret'), 'secret');
  for (const name of [sha256OfHello, '../secret', '', sha256OfHello.toUpperCase(), `${sha256OfHello}\n`]) {
    await t.throwsAsync(blobs.open(name), { code: 'ERR_NOT_FOUND' });
    t.is(await blobs.size(name), undefined);
  }
});

test('a whole read of rotten bytes ends in an error that names the blob; storing them again heals it', async (t) => {
  const folder = await newFolder(t);
  const blobs = await openBlobs(folder);
  await blobs.put(streamOf('hello'));
  const file = join(folder, sha256OfHello.slice(0, 2), sha256OfHello);
  for (const rotten of ['hellO', 'hell', 'hello!', '']) {
    await chmod(file, 0o600);
    await writeFile(file, rotten);
    await t.throwsAsync(async () => text(await blobs.open(sha256OfHello)), {
      code: 'ERR_CORRUPT',
      message: new RegExp(sha256OfHello),
    });
    await blobs.put(streamOf('hello'));
    t.is(await text(await blobs.open(sha256OfHello)), 'hello');
  }
});

test('a source that breaks off stores nothing', async (t) => {
  const folder = await newFolder(t);
  const blobs = await openBlobs(folder);
  const broken = Readable.from(
    (function* () {
      yield Buffer.from('hel');
      throw new Error('connection lost');
    })(),
  );
  await t.throwsAsync(blobs.put(broken), { message: 'connection lost' });
  const ended = new Readable({ read: () => undefined });
  ended.push('hello');
  const storing = blobs.put(ended);
  ended.destroy();
  await t.throwsAsync(storing, { code: 'ERR_STREAM_PREMATURE_CLOSE' });
  t.deepEqual(await filesIn(folder), []);
});

test('what dead processes were writing is removed; what living ones write and what is not ours stays', async (t) => {
  const folder = await newFolder(t);
  const blobs = await openBlobs(folder);
  const slow = new Readable({ read: () => undefined });
  slow.push('hel');
  const storing = blobs.put(slow);
  const incoming = join(folder, 'incoming');
  while ((await readdir(incoming)).length === 0) await new Promise((wake) => setTimeout(wake, 1));
  const [own = ''] = await readdir(incoming);
  const { host } = thisProcess();
  const names = { dead: `${host},999999999,,1`, foreign: 'elsewhere,1,,1', other: 'notes 100%.txt' };
  for (const name of Object.values(names)) await writeFile(join(incoming, name), 'x');
  await openBlobs(folder);
  t.deepEqual((await readdir(incoming)).toSorted(), [own, names.foreign, names.other].toSorted());
  slow.push('lo');
  slow.push(null);
  t.is((await storing).sha256, sha256OfHello);
});

test('a reader that goes away early closes the file', async (t) => {
  const blobs = await openBlobs(await newFolder(t));
  const { sha256 } = await blobs.put(streamOf('x'.repeat(1_000_000)));
  const open = async () => (await readdir('/proc/self/fd')).length;
  if (process.platform !== 'linux') {
    t.pass('open files are counted on Linux');
    return;
  }
  const before = await open();
  for (let count = 0; count < 50; count++) (await blobs.open(sha256)).destroy();
  while ((await open()) > before + 10) await new Promise((wake) => setTimeout(wake, 5));
  t.pass();
});

test('a full disk is named, and leaves no half of a blob', async (t) => {
  const folder = await newFolder(t);
  const module = fileURLToPath(new URL('blobs.ts', import.meta.url));
  const script = `
    import { Readable } from 'node:stream';
    const { openBlobs } = await import(${JSON.stringify(module)});
    const blobs = await openBlobs(${JSON.stringify(folder)});
    await blobs.put(Readable.from([Buffer.alloc(1e6)])).catch(({ code, message }) => console.log(code, message));
  `;
  // A file may grow to 512 blocks, which is what a small disk looks like to a writer.
  const command = 'ulimit -f 512; exec "$0" --input-type=module -e "$1"';
  const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, script]);
  t.is(stdout, `ERR_FULL There is no space left to store a blob in ${folder}.\n`);
  t.deepEqual(await filesIn(folder), []);
});
