import { realpathSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { SluiceError, messageOf } from '../model/errors.ts';
import { memberPath } from './member-path.ts';
import type { TarEntry } from './tar-header.ts';
import { treeEntry } from './tree-entry.ts';
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
  const root = realpathSync(folder);
  const realHome = home === undefined ? undefined : realpathSync(home);
  for (const path of paths) {
    const inHome = realHome !== undefined && path.startsWith('~/');
    try {
      yield treeEntry(inHome ? realHome : root, memberPath(inHome ? path.slice(2) : path), path);
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      throw new SluiceError('ERR_WORKSPACE', `Cannot pack ${path}: ${messageOf(error)}`, { cause: error });
    }
  }
}
