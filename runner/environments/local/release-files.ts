import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, constants, cp, lstat, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../../executors/local/remove-tree.ts';
import { SluiceError } from '../../model/errors.ts';
import { listTree, packTree } from '../../workspace/pack-tree.ts';

/** What stands for the image of a release on this machine. */
export interface ReleaseFiles {
  /** Nobody writes to it: all processes of all releases with this digest run in it. */
  readonly folder: string;
  /** Name of the image that they are to run on. */
  readonly base: string;
}

const app = 'app';
const baseFile = 'base';

/**
 * Copies the files of a folder into the store, under the digest that they and their base have: the same files on the same base are there once. Times and owners
 * do not count, and of modes only whether a file can be run. Answers `sha256:…`. ERR_WORKSPACE for what is neither file, folder nor link.
 */
export async function keepRelease(store: string, source: string, base: string, signal: AbortSignal): Promise<string> {
  await listTree(source, [''], signal);
  const draft = join(store, `.draft-${randomUUID()}`);
  await mkdir(draft, { recursive: true, mode: 0o755 });
  try {
    await cp(source, join(draft, app), {
      recursive: true,
      verbatimSymlinks: true,
      mode: constants.COPYFILE_FICLONE,
    });
    await writeFile(join(draft, baseFile), base);
    const digest = await digestOf(draft, base, signal);
    await freeze(draft, app, signal);
    const place = placeOf(store, digest);
    // Whoever comes second has the same files.
    await rename(draft, place).catch((error: unknown) => {
      if (!existsSync(place)) throw error;
    });
    return digest;
  } finally {
    if (existsSync(draft)) await removeTree(draft);
  }
}

/** The files of a digest, after a look at every one. ERR_NOT_FOUND when they are not here, ERR_CORRUPT when they are not those that were kept. */
export async function releaseFiles(store: string, digest: string, signal: AbortSignal): Promise<ReleaseFiles> {
  const place = placeOf(store, digest);
  if (!existsSync(place)) throw new SluiceError('ERR_NOT_FOUND', `the files ${digest} are not on this machine`);
  const base = await readFile(join(place, baseFile), 'utf8');
  if ((await digestOf(place, base, signal)) !== digest) {
    throw new SluiceError('ERR_CORRUPT', `the files in ${place} are not those that were tested`, {
      hint: 'Somebody changed them. Remove that folder and run the pipeline again.',
    });
  }
  return { folder: join(place, app), base };
}

function placeOf(store: string, digest: string): string {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  if (hex !== undefined) return join(store, hex);
  throw new SluiceError('ERR_NOT_FOUND', `${JSON.stringify(digest)} is no digest of files`);
}

async function digestOf(place: string, base: string, signal: AbortSignal): Promise<string> {
  const folder = join(place, app);
  const hash = createHash('sha256').update(`${base}\n`);
  for await (const chunk of packTree(folder, await listTree(folder, [''], signal), '') as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
  }
  return `sha256:${hash.digest('hex')}`;
}

async function freeze(place: string, path: string, signal: AbortSignal): Promise<void> {
  for (const each of [path, ...(await listTree(place, [path], signal))]) {
    const stat = await lstat(join(place, each));
    if (stat.isSymbolicLink()) continue;
    await chmod(join(place, each), stat.isDirectory() || (stat.mode & 0o111) !== 0 ? 0o555 : 0o444);
  }
}
