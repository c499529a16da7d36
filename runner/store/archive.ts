import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync, backup } from 'node:sqlite';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SluiceError } from '../model/errors.ts';
import { makeFolder } from './make-folder.ts';
import { hasCode } from './system-error.ts';

/** What is in a backup, or came back from one. */
export interface ArchiveSize {
  readonly files: number;
  readonly bytes: number;
}

const databaseName = 'sluice.db';
/** Written last, so that a backup without it is not whole. */
const mark = 'backup.json';
const format = 1;

/**
 * Copies a data folder while others use it. The database comes first and whole (SQLite's online backup); every blob that it
 * names was stored before and is copied after it. Blobs that an earlier backup in the same folder has are not copied again.
 * ERR_CORRUPT when a blob or the database is damaged, ERR_USAGE for a folder that holds anything but a backup.
 */
export async function backUp(home: string, folder: string): Promise<ArchiveSize> {
  if (!(await exists(join(home, databaseName))))
    throw new SluiceError('ERR_NOT_FOUND', `There is no store in ${home}.`, { hint: 'Check --home or SLUICE_HOME.' });
  await refuseForeign(folder);
  await makeFolder(folder);
  await writeFile(join(folder, mark), JSON.stringify({ format, whole: false }));
  await copyDatabase(home, folder);
  const size = await copyRest(home, folder);
  await writeFile(join(folder, mark), JSON.stringify({ format, whole: true, ...size }), { flush: true });
  return size;
}

/**
 * Brings a backup back into a data folder that has no store. The database gets its name last: a restore that breaks off leaves none.
 * ERR_CORRUPT when the backup is damaged, ERR_USAGE when it is none or the data folder is in use.
 */
export async function restore(folder: string, home: string): Promise<ArchiveSize> {
  const made = await readMark(folder);
  if (made?.whole !== true)
    throw new SluiceError('ERR_USAGE', `${folder} holds no whole backup.`, {
      hint: 'Name a folder that `sluice backup` has filled to the end.',
    });
  if (await exists(join(home, databaseName)))
    throw new SluiceError('ERR_USAGE', `There is a store in ${home} already.`, {
      hint: 'Move the folder away, or name another one with --home.',
    });
  await makeFolder(home);
  const size = await copyRest(folder, home);
  await copyDatabase(folder, home);
  return size;
}

async function copyDatabase(from: string, to: string): Promise<void> {
  const draft = join(to, `${databaseName}.part`);
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(draft + suffix, { force: true });
  const database = new DatabaseSync(join(from, databaseName));
  try {
    // All pages at once: SQLite begins anew after every write of another process.
    await backup(database, draft, { rate: 2 ** 31 - 1 });
  } finally {
    database.close();
  }
  checkDatabase(draft);
  await sync(draft);
  for (const suffix of ['-wal', '-shm']) await rm(join(to, databaseName + suffix), { force: true });
  await rename(draft, join(to, databaseName));
  await sync(to);
}

function checkDatabase(file: string): void {
  const database = new DatabaseSync(file);
  try {
    // The copy of a database in WAL mode would make files of its own beside it.
    database.exec('PRAGMA journal_mode = DELETE');
    const [row] = database.prepare('PRAGMA integrity_check').all();
    if (row?.['integrity_check'] === 'ok') return;
    throw damaged(file);
  } catch (cause) {
    throw cause instanceof SluiceError ? cause : damaged(file, cause);
  } finally {
    database.close();
  }
}

/** Blobs, logs, and by what others know this installation. */
async function copyRest(from: string, to: string): Promise<ArchiveSize> {
  let [files, bytes] = [0, 0];
  for (const path of await filesOf(from)) {
    files += 1;
    bytes += path.startsWith('blobs/') ? await copyBlob(join(from, path), join(to, path)) : await copy(from, to, path);
  }
  return { files, bytes };
}

async function filesOf(home: string): Promise<readonly string[]> {
  const blobs = (await list(join(home, 'blobs'))).filter((path) => /^[0-9a-f]{2}\/[0-9a-f]{64}$/.test(path));
  const logs = await list(join(home, 'logs'));
  const id = (await exists(join(home, 'installation-id'))) ? ['installation-id'] : [];
  return [...blobs.map((path) => `blobs/${path}`), ...logs.map((path) => `logs/${path}`), ...id];
}

async function list(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const prefix = folder.length + 1;
    return entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(prefix));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Checked on its way; one that is there already has the same bytes. */
async function copyBlob(from: string, to: string): Promise<number> {
  const { size } = await stat(from);
  if ((await sizeOf(to)) === size) return size;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  const hash = createHash('sha256');
  const seen = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(createReadStream(from), seen, createWriteStream(`${to}.part`, { mode: 0o400, flush: true }));
  if (!from.endsWith(hash.digest('hex'))) {
    await rm(`${to}.part`);
    throw damaged(from);
  }
  await rename(`${to}.part`, to);
  return size;
}

async function copy(from: string, to: string, path: string): Promise<number> {
  await mkdir(dirname(join(to, path)), { recursive: true, mode: 0o700 });
  await copyFile(join(from, path), join(to, path));
  await sync(join(to, path));
  return (await stat(join(to, path))).size;
}

async function refuseForeign(folder: string): Promise<void> {
  const entries = await readdir(folder).catch(() => []);
  if (entries.length === 0 || (await readMark(folder)) !== undefined) return;
  throw new SluiceError('ERR_USAGE', `${folder} holds something else than a backup.`, {
    hint: 'Name an empty folder, a new one, or that of an earlier backup.',
  });
}

async function readMark(folder: string): Promise<{ readonly whole: boolean } | undefined> {
  const text = await readFile(join(folder, mark), 'utf8').catch(() => '{}');
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== format) return undefined;
  return { whole: 'whole' in value && value.whole === true };
}

async function sync(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size;
}

async function exists(path: string): Promise<boolean> {
  return (await sizeOf(path)) !== undefined;
}

function damaged(file: string, cause?: unknown): SluiceError {
  return new SluiceError('ERR_CORRUPT', `${file} is damaged.`, {
    hint: 'What was copied so far is not taken for a whole backup. Check the disk.',
    cause,
  });
}
