import * as fs from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { SluiceError, messageOf } from '../model/errors.ts';
import { checkLink, memberPath } from './member-path.ts';
import { isInside, readInside } from './read-inside.ts';
import type { TarEntry } from './tar-header.ts';
import { writeTar } from './write-tar.ts';

/**
 * A tar of files, folders (without what is in them) and links below `folder`, or below `home` for paths `~/…`: the same
 * tree gives the same bytes, whatever the order of `paths`. The stream ends with ERR_WORKSPACE when a path is missing,
 * changes meanwhile, or leads out of its folder.
 */
export function packTar(folder: string, paths: readonly string[], home?: string): Readable {
  return writeTar(entries(folder, [...new Set(paths)].toSorted(), home));
}

function* entries(folder: string, paths: readonly string[], home?: string): Generator<TarEntry> {
  const root = fs.realpathSync(folder);
  const realHome = home === undefined ? undefined : fs.realpathSync(home);
  for (const path of paths) {
    const inHome = realHome !== undefined && path.startsWith('~/');
    try {
      yield entryOf(inHome ? realHome : root, memberPath(inHome ? path.slice(2) : path), path);
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      throw new SluiceError('ERR_WORKSPACE', `Cannot pack ${path}: ${messageOf(error)}`, { cause: error });
    }
  }
}

function entryOf(root: string, path: string, name: string): TarEntry {
  const absolute = join(root, path);
  const stat = fs.lstatSync(absolute);
  if (stat.isSymbolicLink() || stat.isDirectory()) {
    if (!isInside(root, fs.realpathSync.native(dirname(absolute)))) throw new Error(`it lies outside of ${root}`);
    return stat.isDirectory()
      ? { path: name, kind: 'folder' }
      : { path: name, kind: 'symlink', target: targetOf(root, path) };
  }
  const executable = (stat.mode & 0o100) !== 0;
  return { path: name, kind: 'file', executable, bytes: stat.size, content: readInside(root, absolute, stat.size) };
}

/** Absolute targets are made relative: the tree is unpacked elsewhere. */
function targetOf(root: string, path: string): string {
  const absolute = join(root, path);
  const target = fs.readlinkSync(absolute);
  const portable = isAbsolute(target) ? relative(dirname(absolute), target) : target;
  checkLink(path, portable);
  return portable;
}
