import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceError, messageOf } from '../model/errors.ts';

/** A new folder for what is on its way. ERR_WORKSPACE where none can be made. */
export async function makeTemporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'sluice-image-')).catch((error: unknown) => {
    throw unwritable(tmpdir(), error);
  });
}

/** Writes to a file that is closed when this ends. Errors of `chunks` are handed on; ERR_WORKSPACE when the disk is full. */
export async function writeTemporary(
  file: string,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await writeFile(file, chunks, { signal });
  } catch (error) {
    throw error instanceof SluiceError || signal.aborted ? error : unwritable(file, error);
  }
}

function unwritable(path: string, cause: unknown): SluiceError {
  return new SluiceError('ERR_WORKSPACE', `Cannot write to ${path}: ${messageOf(cause)}`, {
    hint: 'TMPDIR names the folder for temporary files; compressed layers need space there.',
    cause,
  });
}
