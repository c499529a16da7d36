import { realpathSync } from 'node:fs';
import { findFiles } from '../../workspace/find-files.ts';
import type { Found } from '../../workspace/find-files.ts';
import type { AttemptFolder } from './attempt-folder.ts';

/** `findFiles` for folders that the command may have removed, or replaced by a link: nothing is looked for in such a one. */
export async function findInAttempt(
  { workspace, home }: Pick<AttemptFolder, 'workspace'> & Partial<Pick<AttemptFolder, 'home'>>,
  globs: readonly string[],
  signal: AbortSignal,
): Promise<Found> {
  const outside = globs.filter((glob) => !isInPlace(glob.startsWith('~/') ? (home ?? workspace) : workspace));
  const inside = globs.filter((glob) => !outside.includes(glob));
  const found = await findFiles(workspace, inside, { ...(home === undefined ? {} : { home }), signal });
  return { ...found, unsafe: [...found.unsafe, ...outside] };
}

/** Whether a folder of the attempt, which is a real path, is still that. */
export function isInPlace(folder: string): boolean {
  try {
    return realpathSync.native(folder) === folder;
  } catch {
    return false;
  }
}
