import { realpathSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { SluiceError, messageOf } from '../model/errors.ts';
import { FileTree } from './file-tree.ts';
import { defaultLimits, readTar } from './read-tar.ts';
import type { TarLimits } from './read-tar.ts';

export interface UnpackOptions extends Partial<TarLimits> {
  /** Existing folder for members named `~/…`; without it `~` is a name like any other. */
  readonly home?: string;
}

/**
 * Unpacks an untrusted tar into an existing folder that nobody else writes to meanwhile, over the files of earlier
 * tars. Nothing is written outside of the folder or through a link. Errors: those of `readTar`, and ERR_WORKSPACE for
 * members that do not fit together or that the disk refuses. After an error the folder holds a part of the archive.
 */
export async function unpackTar(
  content: Readable,
  folder: string,
  options: UnpackOptions = {},
  signal?: AbortSignal,
): Promise<{ readonly files: number; readonly bytes: number }> {
  try {
    const tree = new FileTree(
      realpathSync.native(folder),
      options.home === undefined ? undefined : realpathSync.native(options.home),
    );
    for await (const member of readTar(content, { ...defaultLimits, ...options }, signal)) await tree.add(member);
    return tree.finish();
  } catch (error) {
    content.destroy();
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('ERR_WORKSPACE', `Cannot unpack into ${folder}: ${messageOf(error)}`, { cause: error });
  }
}
