import { mkdir } from 'node:fs/promises';
import { SluiceError, messageOf } from '../model/errors.ts';

/** Makes a folder, with those above it, that only this user may enter. ERR_UNREADABLE when that cannot be done. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SluiceError('ERR_UNREADABLE', `The folder ${folder} cannot be made: ${messageOf(cause)}.`, {
      hint: 'Check who owns the folders above it, or choose another data folder.',
      cause,
    });
  }
}
