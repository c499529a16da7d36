import { renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { removeTree } from './remove-tree.ts';

const prefix = 'gone-';

/** Removing takes time. Renamed first, a folder whose removal is cut short is known for what it is. */
export async function discardFolder(path: string): Promise<void> {
  const gone = join(dirname(path), `${prefix}${basename(path)}`);
  renameSync(path, gone);
  await removeTree(gone);
}

/** Whether the folder of this name only waits to be removed. */
export function isDiscarded(name: string): boolean {
  return name.startsWith(prefix);
}
