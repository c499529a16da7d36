import { readdirSync } from 'node:fs';
import { chmod, readdir, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const fewEntries = 32;

/** Removes a folder with all that is in it, read-only folders included (module caches are made of such). */
export async function removeTree(path: string): Promise<void> {
  if (await removeSmallTree(path)) return;
  try {
    await remove(path);
  } catch {
    await makeWritable(path);
    await remove(path);
  }
}

/**
 * Most attempts leave a handful of files; a general removal looks at each of them several times. Only the removals
 * themselves may have to wait for the disk. False when something is left to do.
 */
async function removeSmallTree(path: string): Promise<boolean> {
  try {
    const entries = listSmallTree(path);
    if (entries === undefined) return false;
    await Promise.all(entries.flatMap((entry) => (entry.isFolder ? [] : [unlink(entry.path)])));
    for (const entry of entries) if (entry.isFolder) await rmdir(entry.path);
    return true;
  } catch {
    return false;
  }
}

interface Entry {
  readonly path: string;
  readonly isFolder: boolean;
}

/** What is in a folder, then the folder itself; undefined when that is not small. */
function listSmallTree(root: string): readonly Entry[] | undefined {
  const folders = [root];
  const entries: Entry[] = [{ path: root, isFolder: true }];
  for (const folder of folders) {
    for (const found of readdirSync(folder, { withFileTypes: true })) {
      const entry = { path: join(folder, found.name), isFolder: found.isDirectory() };
      if (entry.isFolder) folders.push(entry.path);
      entries.push(entry);
    }
    if (entries.length > fewEntries) return undefined;
  }
  return entries.toReversed();
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
  }
}
