import * as fs from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { SluiceError } from '../model/errors.ts';
import { parseGlob } from './parse-glob.ts';
import type { Glob } from './parse-glob.ts';
import { isInside, readInside } from './read-inside.ts';

export interface FoundFile {
  /** Relative, with forward slashes; `~/…` below the home folder, and then `./~/…` below a folder of that name. */
  readonly path: string;
  /** Real path of the content, another one than `path` behind a link. */
  readonly absolute: string;
  /** Real path of the folder that the content lies in: the workspace or the home folder. */
  readonly root: string;
  readonly bytes: number;
  readonly mode: number;
  /** When the content or anything else about the file last changed, by the file system: no program sets it. */
  readonly changedMs: number;
}

export interface Found {
  /** Regular files, and links to regular files inside, sorted by path. */
  readonly files: readonly FoundFile[];
  /** What `packTar` makes the same tree of: files, links, and folders with nothing in them; sorted. */
  readonly paths: readonly string[];
  /** Globs, links and paths that leave the workspace (reason `unsafe_path`), sorted; nothing was read there. */
  readonly unsafe: readonly string[];
}

export interface FindOptions {
  /** Existing folder that globs `~/…` mean. Without it they are unsafe. */
  readonly home?: string;
  readonly signal?: AbortSignal;
}

interface Collection {
  readonly files: Map<string, FoundFile>;
  readonly paths: Set<string>;
  readonly unsafe: Set<string>;
}

/** One glob below one root. */
interface Search {
  readonly root: string;
  readonly nameOf: (path: string) => string;
  readonly glob: Glob;
  readonly collection: Collection;
  readonly signal: AbortSignal | undefined;
}

/**
 * Files in `folder` by path or glob. Names with a dot in front are names like any other. A path without wildcards that
 * is a folder means everything below it. Links to folders are followed before the first wildcard only.
 */
export async function findFiles(folder: string, globs: readonly string[], options: FindOptions = {}): Promise<Found> {
  const collection: Collection = { files: new Map(), paths: new Set(), unsafe: new Set() };
  for (const text of new Set(globs)) {
    const glob = parseGlob(text);
    const root = glob?.inHome === true ? options.home : folder;
    if (glob === undefined || root === undefined) {
      collection.unsafe.add(text);
      continue;
    }
    const nameOf = naming(glob, options);
    await collect({ root: fs.realpathSync(root), nameOf, glob, collection, signal: options.signal });
  }
  return {
    files: [...collection.files.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    paths: [...collection.paths].toSorted(),
    unsafe: [...collection.unsafe].toSorted(),
  };
}

/** What a path below the root of a glob is called, so that no name of the workspace can mean the home folder. */
function naming({ inHome }: Glob, { home }: FindOptions): (path: string) => string {
  if (inHome) return (path) => `~/${path}`;
  return (path) => (home !== undefined && path.startsWith('~/') ? `./${path}` : path);
}

/** Content of a found file. The stream ends with ERR_WORKSPACE when it is not the same plain file inside any more. */
export function openFound({ root, absolute, bytes }: FoundFile): Readable {
  return Readable.from(readInside(root, absolute, bytes), { objectMode: false });
}

async function collect(search: Search): Promise<void> {
  const { root, glob } = search;
  const start = join(root, glob.base);
  const real = realPath(start);
  if (real === undefined) addDangling(search, glob.base, start);
  else if (!isInside(root, real)) search.collection.unsafe.add(search.nameOf(glob.base));
  else if (fs.lstatSync(real).isDirectory()) await walk(search, real, glob.base, glob.depth);
  else if (glob.literal) addFile(search, glob.base, real);
}

/** `folder` is a real path, `path` what it is called below the root. */
async function walk(search: Search, folder: string, path: string, depth: number): Promise<void> {
  const { glob, collection, nameOf, signal } = search;
  if (signal?.aborted === true) throw new SluiceError('ERR_ABORTED', 'Looking for files was aborted');
  const entries = await readdir(folder, { withFileTypes: true });
  if (entries.length === 0 && path !== '' && glob.matches(path)) collection.paths.add(nameOf(path));
  for (const entry of entries) {
    const below = path === '' ? entry.name : `${path}/${entry.name}`;
    const absolute = join(folder, entry.name);
    if (entry.isDirectory() && depth > 1) await walk(search, absolute, below, depth - 1);
    else if (!glob.matches(below)) continue;
    else if (entry.isFile()) addFile(search, below, absolute);
    else if (entry.isSymbolicLink()) addLink(search, below, absolute);
  }
}

function addFile({ root, nameOf, collection }: Search, path: string, absolute: string): void {
  const stat = fs.lstatSync(absolute, { throwIfNoEntry: false });
  if (stat?.isFile() !== true) return;
  const name = nameOf(path);
  const [bytes, mode, changedMs] = [stat.size, stat.mode & 0o777, stat.ctimeMs];
  collection.files.set(name, { path: name, absolute, root, bytes, mode, changedMs });
  collection.paths.add(name);
}

function addLink(search: Search, path: string, absolute: string): void {
  const real = realPath(absolute);
  if (real === undefined) addDangling(search, path, absolute);
  else if (!isInside(search.root, real)) search.collection.unsafe.add(search.nameOf(path));
  else {
    addFile(search, path, real);
    search.collection.paths.add(search.nameOf(path));
  }
}

/** A link that leads nowhere is handed over as long as it stays inside; no file at all is nothing. */
function addDangling({ root, nameOf, collection }: Search, path: string, absolute: string): void {
  const target = linkTarget(absolute);
  if (target === undefined) return;
  const inside = isInside(root, resolve(dirname(absolute), target));
  (inside ? collection.paths : collection.unsafe).add(nameOf(path));
}

function linkTarget(path: string): string | undefined {
  try {
    return fs.readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Undefined where nothing is, or a link leads nowhere. */
function realPath(path: string): string | undefined {
  try {
    return fs.realpathSync.native(path);
  } catch {
    return undefined;
  }
}
