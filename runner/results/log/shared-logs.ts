import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { SluiceError } from '../../model/errors.ts';
import type { AttemptKey, LogSeal } from '../../model/result.ts';
import type { FileLogs } from './file-logs.ts';
import { readLines } from './log-lines.ts';
import type { Logs, LogWriter } from './logs.ts';

/** The blobs that all runners see. */
interface SharedBlobs {
  put(content: Readable): Promise<{ readonly sha256: string }>;
  /** `end` is exclusive. */
  open(sha256: string, range?: { readonly start: number; readonly end?: number }): Promise<Readable>;
}

/**
 * Logs for several runners: files of this machine while an attempt is under way, and blobs from the seal on, so that whoever
 * sees the blobs shows them. A seal is answered when both blobs are stored. Files of this machine may be left over from an
 * attempt that another runner went on with: of what is sealed only the blobs count.
 */
export function createSharedLogs(files: FileLogs, blobs: SharedBlobs): Logs {
  return {
    open: async (key, options) => sealedAsBlobs(await files.open(key, options), key, files, blobs),
    read: async (key, range, seal) => {
      if (seal?.bytes === 0) return Readable.from([]);
      return seal?.arrivals === undefined ? files.read(key, range) : blobs.open(seal.sha256, range);
    },
    lines: (key, seal) =>
      seal?.arrivals === undefined ? files.lines(key) : linesOf(seal.sha256, seal.arrivals, blobs),
  };
}

function sealedAsBlobs(writer: LogWriter, key: AttemptKey, files: FileLogs, blobs: SharedBlobs): LogWriter {
  let sealed: Promise<LogSeal> | undefined;
  return {
    get offset() {
      return writer.offset;
    },
    write: (chunk) => writer.write(chunk),
    seal: (complete) => (sealed ??= writer.seal(complete).then((seal) => share(seal, key, files, blobs))),
  };
}

async function share(seal: LogSeal, key: AttemptKey, files: FileLogs, blobs: SharedBlobs): Promise<LogSeal> {
  // Of a log without a byte the seal says everything.
  if (seal.bytes === 0) return seal;
  const [content, arrivals] = await Promise.all([
    files.read(key).then((bytes) => blobs.put(bytes)),
    files.arrivals(key).then((index) => blobs.put(Readable.from([index], { objectMode: false }))),
  ]);
  if (content.sha256 === seal.sha256) return { ...seal, arrivals: arrivals.sha256 };
  const { runId, step, attempt } = key;
  throw new SluiceError(
    'ERR_CORRUPT',
    `The log of attempt ${attempt} of ${step} in run ${runId} is not as it was written.`,
    {
      hint: 'Something else writes to the data folder, or its disk is failing.',
    },
  );
}

async function* linesOf(sha256: string, arrivals: string, blobs: SharedBlobs): ReturnType<Logs['lines']> {
  const [index, content] = await Promise.all([blobs.open(arrivals).then((bytes) => buffer(bytes)), blobs.open(sha256)]);
  yield* readLines(content, index);
}
