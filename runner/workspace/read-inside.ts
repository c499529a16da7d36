import * as fs from 'node:fs';
import { sep } from 'node:path';
import { SluiceError, messageOf } from '../model/errors.ts';

const chunkBytes = 64 * 1024;

/** Whether `path` is `folder` or below it; both absolute and without `..`. */
export function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/**
 * The first `bytes` bytes of a regular file below `folder` (a real path). ERR_WORKSPACE when it is shorter, a link,
 * something else than a file, or really lies elsewhere. That is checked once it is open, so that a swap is seen.
 */
export function* readInside(folder: string, absolute: string, bytes: number): Generator<Uint8Array> {
  const file = openInside(folder, absolute);
  try {
    for (let left = bytes; left > 0;) {
      const buffer = Buffer.allocUnsafe(Math.min(left, chunkBytes));
      const read = fs.readSync(file, buffer);
      if (read === 0) throw new SluiceError('ERR_WORKSPACE', `${absolute} became shorter while it was read`);
      left -= read;
      yield buffer.subarray(0, read);
    }
  } finally {
    fs.closeSync(file);
  }
}

function openInside(folder: string, absolute: string): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  let file: number | undefined;
  try {
    file = fs.openSync(absolute, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!isFileInside(folder, absolute, file)) throw new Error(`it is no plain file inside of ${folder}`);
    return file;
  } catch (error) {
    if (file !== undefined) fs.closeSync(file);
    throw new SluiceError('ERR_WORKSPACE', `Cannot read ${absolute}: ${messageOf(error)}`, { cause: error });
  }
}

function isFileInside(folder: string, absolute: string, file: number): boolean {
  const opened = fs.fstatSync(file);
  const real = fs.realpathSync.native(absolute);
  const found = fs.lstatSync(real);
  return opened.isFile() && isInside(folder, real) && found.ino === opened.ino && found.dev === opened.dev;
}
