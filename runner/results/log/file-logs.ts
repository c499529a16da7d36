import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { systemClock } from '../../model/clock.ts';
import type { Clock } from '../../model/clock.ts';
import { SluiceError } from '../../model/errors.ts';
import type { AttemptKey } from '../../model/result.ts';
import { fittingLength, lastReached } from './arrival-times.ts';
import { readLines } from './log-lines.ts';
import { logPath } from './log-path.ts';
import type { LogPath } from './log-path.ts';
import { FileLogWriter, syncFolder } from './log-writer.ts';
import type { OpenLog } from './log-writer.ts';
import type { LogLine, Logs } from './logs.ts';
import { Tally, tallyFile } from './tally.ts';

export interface FileLogs extends Logs {
  /** The index of arrival times, see `arrival-times.ts`. ERR_NOT_FOUND. */
  arrivals(key: AttemptKey): Promise<Buffer>;
}

/**
 * Logs as files below a folder: the masked bytes as they came, and an index of arrival times beside them. What `write` has
 * resolved for survives the death of the process, what is sealed that of the machine. Lines of more than 1 MiB are given
 * out in pieces of that size.
 */
export function createFileLogs(root: string, clock: Clock = systemClock): FileLogs {
  return {
    open: async (key, options) =>
      new FileLogWriter(await openForAppending(logPath(root, key), options.resumes === true), options, clock),
    read: async (key, { start = 0, end } = { start: 0 }) => {
      const file = await found(open(logPath(root, key).bytes), key);
      if (end === undefined || end > start) {
        return file.createReadStream({ start, ...(end === undefined ? {} : { end: end - 1 }) });
      }
      await file.close();
      return Readable.from([]);
    },
    lines: (key) => linesOf(logPath(root, key), key),
    arrivals: (key) => found(readFile(logPath(root, key).times), key),
  };
}

async function* linesOf(path: LogPath, key: AttemptKey): AsyncGenerator<LogLine> {
  const index = await found(readFile(path.times), key);
  const file = await found(open(path.bytes), key);
  yield* readLines(file.createReadStream() as AsyncIterable<Buffer>, index);
}

async function found<Value>(work: Promise<Value>, { runId, step, attempt }: AttemptKey): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing) throw error;
    throw new SluiceError('ERR_NOT_FOUND', `attempt ${attempt} of ${step} in run ${runId} has no log`, {
      cause: error,
    });
  }
}

/**
 * Continues what a dead process left: all bytes that are there count, and no arrival time without its byte. Synchronous
 * but for the bytes themselves: most steps open an empty log, and a turn of the thread pool takes longer than each call.
 */
async function openForAppending(path: LogPath, resumes: boolean): Promise<OpenLog> {
  const created = mkdirSync(path.folder, { recursive: true, mode: 0o700 });
  if (created !== undefined) await syncFolder(dirname(created));
  const opened: number[] = [];
  const openFile = (file: string, flags = 'a'): number => {
    const descriptor = openSync(file, flags, 0o600);
    opened.push(descriptor);
    return descriptor;
  };
  try {
    const bytes = openFile(path.bytes);
    const resume = resumes ? resumeFrom(openFile(path.raw, 'a+'), bytes) : undefined;
    const times = openFile(path.times);
    const tally = fstatSync(bytes).size === 0 ? new Tally() : await tallyFile(path.bytes);
    ftruncateSync(times, fittingLength(readFileSync(path.times), tally.bytes));
    return { path, bytes, times, tally, ...(resume && { resume }) };
  } catch (error) {
    for (const descriptor of opened) closeSync(descriptor);
    throw error;
  }
}

/** Cuts off what is stored but not marked, so that its writer says it again from the mark on, and none of it twice. */
function resumeFrom(raw: number, bytes: number): OpenLog['resume'] {
  const index = readFileSync(raw);
  const mark = lastReached(index, fstatSync(bytes).size) ?? { offset: 0, value: 0 };
  ftruncateSync(bytes, mark.offset);
  ftruncateSync(raw, fittingLength(index, mark.offset + 1));
  return { raw, offset: mark.value };
}
