import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SluiceError, messageOf } from '../model/errors.ts';
import { hasCode } from './system-error.ts';

/** Makes a folder, with those above it, that only this user may enter. ERR_UNREADABLE when that cannot be done. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeWithParents(folder);
  } catch (cause) {
    throw new SluiceError('ERR_UNREADABLE', `The folder ${folder} cannot be made: ${messageOf(cause)}.`, {
      hint: 'Check who owns the folders above it, or choose another data folder.',
      cause,
    });
  }
}

/** Node's own `recursive` never ends where a folder exists in which none can be made and which says ENOENT, as /proc. */
async function makeWithParents(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  if (dirname(folder) !== folder) await makeWithParents(dirname(folder));
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!hasCode(error, 'EEXIST') || !(await isFolder(folder))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
