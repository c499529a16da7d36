import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { SluiceError } from '../model/errors.ts';
import { makeFolder } from './make-folder.ts';
import { isAlive, thisProcess } from './owner.ts';
import type { Blobs, Owner } from './store.ts';
import { hasCode } from './system-error.ts';
import { isDigest, unknownBlob, verified } from './verified.ts';

const smallBytes = 65_536;

/**
 * Blobs in a folder: `ab/abcd…` holds the bytes whose sha256 is `abcd…`, `incoming/` what is still being written.
 * Processes may share the folder. What dead processes left in `incoming/` is removed.
 */
export async function openBlobs(folder: string): Promise<Blobs> {
  const incoming = join(folder, 'incoming');
  await makeFolder(incoming);
  await sweep(incoming);
  const owner = thisProcess();
  return {
    put: (content) => put(folder, join(incoming, temporaryName(owner)), content),
    open: (sha256, range) => read(folder, sha256, range),
    size: (sha256) => sizeOf(folder, sha256),
  };
}

interface Received {
  readonly sha256: string;
  readonly bytes: number;
}

async function put(folder: string, temporary: string, content: Readable): Promise<Received> {
  try {
    const received = await receive(content, temporary);
    await moveIn(folder, temporary, received.sha256);
    return received;
  } catch (error) {
    content.destroy();
    await rm(temporary, { force: true });
    throw hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG') ? noSpace(folder, error) : error;
  }
}

async function receive(content: Readable, temporary: string): Promise<Received> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(temporary, 'wx', 0o400);
  try {
    for await (const chunk of content as AsyncIterable<Uint8Array | string>) {
      const piece = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      hash.update(piece);
      bytes += piece.byteLength;
      await file.writeFile(piece);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Replaces an equal blob that is there already: that heals one whose bytes have rotted. */
async function moveIn(folder: string, temporary: string, sha256: string): Promise<void> {
  const shard = join(folder, sha256.slice(0, 2));
  if ((await mkdir(shard, { recursive: true, mode: 0o700 })) !== undefined) await syncFolder(folder);
  await rename(temporary, join(shard, sha256));
  await syncFolder(shard);
}

/** A new name in a folder is on disk only after this. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function read(
  folder: string,
  sha256: string,
  range: { readonly start: number; readonly end?: number } | undefined,
): Promise<Readable> {
  if (!range) return readSmall(folder, sha256) ?? verified((await openBlob(folder, sha256)).createReadStream(), sha256);
  const file = await openBlob(folder, sha256);
  const { start, end = Infinity } = range;
  if (start < end) return file.createReadStream({ start, end: end - 1 });
  await file.close();
  return Readable.from([]);
}

/** At once, which for a small blob is less work than a stream; undefined when it is not small, not there, or not whole. */
function readSmall(folder: string, sha256: string): Readable | undefined {
  const path = pathOf(folder, sha256);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? Infinity;
  if (size > smallBytes) return undefined;
  const bytes = readFileSync(path);
  const whole = createHash('sha256').update(bytes).digest('hex') === sha256;
  return whole ? Readable.from([bytes], { objectMode: false }) : undefined;
}

async function openBlob(folder: string, sha256: string): Promise<FileHandle> {
  try {
    return await open(pathOf(folder, sha256));
  } catch (error) {
    throw hasCode(error, 'ENOENT') ? unknownBlob(sha256, error) : error;
  }
}

async function sizeOf(folder: string, sha256: string): Promise<number | undefined> {
  try {
    return (await stat(pathOf(folder, sha256))).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || error instanceof SluiceError) return undefined;
    throw error;
  }
}

function pathOf(folder: string, sha256: string): string {
  if (!isDigest(sha256)) throw unknownBlob(sha256);
  return join(folder, sha256.slice(0, 2), sha256);
}

/** The name tells who writes the file, so that another process can see whether its writer is dead. */
function temporaryName({ host, pid, startedAt }: Owner): string {
  return [host.replaceAll(/[^\w.-]/g, '_'), pid, startedAt, randomUUID()].join(',');
}

async function sweep(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const [, host, pid, startedAt, id] = /^([\w.-]+),(\d+),([\w.-]*),([\w-]+)$/.exec(name) ?? [];
    if (host === undefined || startedAt === undefined || id === undefined) continue;
    if (!isAlive({ id, host, pid: Number(pid), startedAt })) await rm(join(incoming, name), { force: true });
  }
}

function noSpace(folder: string, cause: unknown): SluiceError {
  return new SluiceError('ERR_FULL', `There is no space left to store a blob in ${folder}.`, {
    hint: 'Free some disk space, or choose another data folder.',
    cause,
  });
}
