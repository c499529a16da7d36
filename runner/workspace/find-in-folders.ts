import { realpathSync } from 'node:fs';
import { findFiles } from './find-files.ts';
import type { Found } from './find-files.ts';

/** Folders of a command, by their real paths. */
export interface CommandFolders {
  readonly workspace: string;
  readonly home: string;
  /** The file that $SLUICE_OUTPUT names. */
  readonly output: string;
}

/** `findFiles` for folders that the command may have removed, or replaced by a link: nothing is looked for in such a one. */
export async function findInFolders(
  { workspace, home }: Pick<CommandFolders, 'workspace'> & Partial<Pick<CommandFolders, 'home'>>,
  globs: readonly string[],
  signal: AbortSignal,
): Promise<Found> {
  const outside = globs.filter((glob) => !isInPlace(glob.startsWith('~/') ? (home ?? workspace) : workspace));
  const inside = globs.filter((glob) => !outside.includes(glob));
  const found = await findFiles(workspace, inside, { ...(home === undefined ? {} : { home }), signal });
  return { ...found, unsafe: [...found.unsafe, ...outside] };
}

/** Whether a folder, which is a real path, is still that. */
export function isInPlace(folder: string): boolean {
  try {
    return realpathSync.native(folder) === folder;
  } catch {
    return false;
  }
}
