import * as fs from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { checkLink } from './member-path.ts';
import { isInside, readInside } from './read-inside.ts';
import type { TarEntry } from './tar-header.ts';

/**
 * The file, folder (without what is in it) or link at `path` below `root`, a real path, as the member `name` of a tar.
 * Throws when it leads out of `root`, or is something else; a file is opened when its content is read.
 */
export function treeEntry(root: string, path: string, name: string): TarEntry {
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
