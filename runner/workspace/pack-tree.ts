import * as fs from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { SluiceError, messageOf } from '../model/errors.ts';
import { memberPath } from './member-path.ts';
import type { TarEntry } from './tar-header.ts';
import { treeEntry } from './tree-entry.ts';
import { writeTar } from './write-tar.ts';

/**
 * Paths of everything in `folder`, or of `paths` with all that is below them: files, links, and every folder on the
 * way, sorted. ERR_WORKSPACE for a path that is missing or leaves the folder, and for sockets, pipes and devices.
 */
export async function listTree(
  folder: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const root = realFolder(folder);
  const found = new Set<string>();
  for (const given of paths) {
    const path = memberPath(given);
    addAbove(root, path, found);
    await add(root, path, found, signal);
  }
  found.delete('');
  return [...found].toSorted();
}

/** ERR_WORKSPACE for what is no folder: a file has nothing in it, and would look like an empty one. */
function realFolder(folder: string): string {
  try {
    const root = fs.realpathSync(folder);
    if (!fs.lstatSync(root).isDirectory()) throw new Error('it is no folder');
    return root;
  } catch (error) {
    throw new SluiceError('ERR_WORKSPACE', `Cannot pack ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

/** Folders that `path` lies in; nothing is looked for behind a link. */
function addAbove(folder: string, path: string, found: Set<string>): void {
  const parts = path.split('/');
  for (const above of parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))) {
    if (!statOf(folder, above).isDirectory()) {
      throw new SluiceError(
        'ERR_WORKSPACE',
        `${JSON.stringify(path)} is not reached by folders alone: ${above} is none`,
      );
    }
    found.add(above);
  }
}

async function add(folder: string, path: string, found: Set<string>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new SluiceError('ERR_ABORTED', 'Looking for files was aborted');
  const stat = statOf(folder, path);
  if (!stat.isDirectory() && !stat.isFile() && !stat.isSymbolicLink()) {
    throw new SluiceError('ERR_WORKSPACE', `${JSON.stringify(path)} is a socket, a pipe or a device`, {
      hint: 'Only files, folders and links can be packed; remove it, or list what is wanted.',
    });
  }
  found.add(path);
  if (!stat.isDirectory()) return;
  for (const name of await readdir(join(folder, path))) {
    await add(folder, memberPath(path === '' ? name : `${path}/${name}`), found, signal);
  }
}

function statOf(folder: string, path: string): fs.Stats {
  try {
    return fs.lstatSync(join(folder, path));
  } catch (error) {
    throw new SluiceError('ERR_WORKSPACE', `Cannot pack ${join(folder, path)}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * A tar of `paths` as `listTree` answers them, each named `below/…`, with a folder `below` in front ('' for none): the
 * same tree gives the same bytes. The stream ends with ERR_WORKSPACE when something leads out of the folder, or changes
 * while it is read.
 */
export function packTree(folder: string, paths: readonly string[], below: string): Readable {
  return writeTar(entries(fs.realpathSync(folder), paths, below));
}

function* entries(root: string, paths: readonly string[], below: string): Generator<TarEntry> {
  if (below !== '') yield { path: below, kind: 'folder' };
  for (const path of paths) {
    try {
      const absolute = join(root, path);
      const before = fs.lstatSync(absolute, { bigint: true });
      const entry = treeEntry(root, path, below === '' ? path : `${below}/${path}`);
      yield entry.kind === 'file' ? { ...entry, content: unchanged(entry.content, absolute, before) } : entry;
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      throw new SluiceError('ERR_WORKSPACE', `Cannot pack ${path}: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** Half of one version of a file and half of the next is neither. */
async function* unchanged(
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  absolute: string,
  before: fs.BigIntStats,
): AsyncGenerator<Uint8Array> {
  yield* content;
  const after = fs.lstatSync(absolute, { bigint: true });
  if (after.ino === before.ino && after.size === before.size && after.mtimeNs === before.mtimeNs) return;
  throw new SluiceError('ERR_WORKSPACE', `${absolute} changed while it was read`, {
    hint: 'Wait until whatever writes there has ended.',
  });
}
