import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { backUp, restore } from './archive.ts';
import { openBlobs } from './blobs.ts';
import { newRun, owner, started } from './contract-data.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';

async function world(t: ExecutionContext) {
  const root = await mkdtemp(join(tmpdir(), 'sluice-archive-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const home = join(root, 'home');
  const store = await openStore(t, home);
  const lease = await store.createRun(newRun('r1'), owner('a'));
  const blobs = await openBlobs(join(home, 'blobs'));
  const { sha256 } = await blobs.put(Readable.from(['hello']));
  await mkdir(join(home, 'logs', 'r1'), { recursive: true });
  await writeFile(join(home, 'logs', 'r1', 'unit.1.log'), 'printed');
  return { home, store, lease, blobs, sha256, folder: join(root, 'backup'), other: join(root, 'other') };
}

async function openStore(t: ExecutionContext, home: string) {
  const store = await openSqliteStore({ file: join(home, 'sluice.db'), clock: () => 1, isAlive: () => true });
  t.teardown(() => store.close());
  return store;
}

test('a backup that is made while a run is under way brings back its events, blobs and logs', async (t) => {
  const { home, store, lease, sha256, folder, other } = await world(t);
  let version = 1;
  const copied = new AbortController();
  const writer = (async () => {
    while (!copied.signal.aborted) {
      version = await store.append(lease, version, [started(`s${version}`)]);
      await setImmediate();
    }
  })();
  const before = version;
  const size = await backUp(home, folder);
  copied.abort();
  await writer;
  t.like(size, { files: 2, bytes: 12 });
  t.deepEqual(await restore(folder, other), size);
  const events = await (await openStore(t, other)).events('r1');
  t.true(events.length >= before && events.length <= version);
  t.is(await text(await (await openBlobs(join(other, 'blobs'))).open(sha256)), 'hello');
  t.is(await readFile(join(other, 'logs', 'r1', 'unit.1.log'), 'utf8'), 'printed');
});

test('a later backup in the same folder has what came since', async (t) => {
  const { home, store, lease, blobs, folder, other } = await world(t);
  await backUp(home, folder);
  await store.append(lease, 1, [started('unit')]);
  const { sha256 } = await blobs.put(Readable.from(['more']));
  t.is((await backUp(home, folder)).files, 3);
  await restore(folder, other);
  t.is((await (await openStore(t, other)).events('r1')).length, 2);
  t.is(await text(await (await openBlobs(join(other, 'blobs'))).open(sha256)), 'more');
});

test('a rotten blob ends the backup, and what is there then is not restored', async (t) => {
  const { home, sha256, folder, other } = await world(t);
  const file = join(home, 'blobs', sha256.slice(0, 2), sha256);
  await chmod(file, 0o600);
  await writeFile(file, 'hellO');
  await t.throwsAsync(backUp(home, folder), { code: 'ERR_CORRUPT', message: new RegExp(sha256) });
  await t.throwsAsync(restore(folder, other), { code: 'ERR_USAGE', message: /no whole backup/ });
});

test('a damaged backup is refused, and leaves no store behind', async (t) => {
  const { home, sha256, folder, other } = await world(t);
  await backUp(home, folder);
  const file = join(folder, 'blobs', sha256.slice(0, 2), sha256);
  await chmod(file, 0o600);
  await writeFile(file, 'jello');
  await t.throwsAsync(restore(folder, other), { code: 'ERR_CORRUPT' });
  await backUp(home, folder).catch(() => undefined);
  await writeFile(join(folder, 'sluice.db'), 'no database at all'.repeat(1_000));
  await t.throwsAsync(restore(folder, other));
  await t.throwsAsync(readFile(join(other, 'sluice.db')), { code: 'ENOENT' });
});

test('nothing is overwritten: neither a folder that is no backup nor a store that is there', async (t) => {
  const { home, folder, other } = await world(t);
  await mkdir(folder);
  await writeFile(join(folder, 'notes'), 'mine');
  await t.throwsAsync(backUp(home, folder), { code: 'ERR_USAGE', message: /something else/ });
  await t.throwsAsync(backUp(other, folder), { code: 'ERR_NOT_FOUND', message: /no store/ });
  await rm(folder, { recursive: true });
  await backUp(home, folder);
  await t.throwsAsync(restore(folder, home), { code: 'ERR_USAGE', message: /a store in .* already/ });
});
