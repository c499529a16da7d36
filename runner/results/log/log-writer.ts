import { appendFile as appendFileBy, closeSync, fdatasync, fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Clock } from '../../model/clock.ts';
import { SluiceError, messageOf } from '../../model/errors.ts';
import type { LogSeal } from '../../model/result.ts';
import { encodePair } from './arrival-times.ts';
import type { LogPath } from './log-path.ts';
import type { Logs, LogWriter } from './logs.ts';
import { createMasker } from './masker.ts';
import type { Masker } from './masker.ts';
import { tallyFile } from './tally.ts';
import type { Tally } from './tally.ts';

type LogOptions = Parameters<Logs['open']>[1];

const appendFile = promisify(appendFileBy);
const datasync = promisify(fdatasync);
const sync = promisify(fsync);

/** Files of a log, as descriptors that are open for appending, and what is in them. */
export interface OpenLog {
  readonly path: LogPath;
  readonly bytes: number;
  readonly times: number;
  readonly tally: Tally;
  /** Present when the writer can go on from any byte of the raw output. */
  readonly resume?: { readonly raw: number; readonly offset: number };
}

/** Masks, stores, then tells. One write to the disk is under way at a time; what comes meanwhile goes with the next. */
export class FileLogWriter implements LogWriter {
  private readonly log: OpenLog;
  private readonly options: LogOptions;
  private readonly clock: Clock;
  private masker: Masker;
  /** Places that maskers before the present one replaced. */
  private maskedBefore = 0;
  /** Settles when a crash of the machine cannot take the names of the files away. */
  private readonly named: Promise<void>;
  private pending: Uint8Array[] = [];
  private underWay: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private sealed: Promise<LogSeal> | undefined;
  private lastArrival: number | undefined;
  private limited = false;
  private rawBytes: number;
  /** How much of the raw output is certain with what is pending; undefined while that ends inside a secret. */
  private certain: number | undefined;

  constructor(log: OpenLog, options: LogOptions, clock: Clock) {
    this.log = log;
    this.options = options;
    this.clock = clock;
    this.masker = createMasker(options.secrets);
    this.rawBytes = this.offset;
    // Begun here, so that it is over by the time of the seal, which waits for it and hears of its failure.
    this.named = syncFolder(log.path.folder);
    this.named.catch(() => undefined);
  }

  get offset(): number {
    return this.log.resume?.offset ?? 0;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.sealed) throw new SluiceError('ERR_INTERNAL', 'a log was written to after it was sealed');
    const bytes = this.masker.push(chunk);
    this.rawBytes += chunk.length;
    this.certain = this.masker.held === undefined ? undefined : this.rawBytes - this.masker.held;
    await this.enqueue(bytes);
  }

  conceal(secrets: readonly string[]): void {
    const { masker } = this;
    this.masker = createMasker(secrets);
    const rest = masker.end();
    this.maskedBefore += masker.masked;
    this.certain = this.rawBytes;
    // What fails here fails again, and is told, with the next write.
    if (rest.length > 0) this.enqueue(rest).catch(() => undefined);
  }

  seal(complete: boolean): Promise<LogSeal> {
    this.sealed ??= this.close(complete);
    return this.sealed;
  }

  private enqueue(bytes: Uint8Array): Promise<void> {
    this.pending.push(bytes);
    this.next ??= this.underWay.then(() => {
      this.next = undefined;
      this.underWay = this.store(joined(this.pending.splice(0)), this.certain);
      return this.underWay;
    });
    return this.next;
  }

  private async store(bytes: Uint8Array, raw: number | undefined): Promise<void> {
    const { tally } = this.log;
    const room = this.options.maxBytes - tally.bytes;
    const exceeded = bytes.length > room;
    const kept = exceeded ? this.cut(bytes, room) : bytes;
    if (kept.length > 0) {
      await this.append(kept);
      tally.add(kept);
      if (raw !== undefined && !exceeded) await this.recordRaw(tally.bytes, raw);
      this.options.observer(kept);
    }
    if (exceeded && !this.limited) {
      this.limited = true;
      this.options.onLimit();
    }
  }

  /** The head of the log stays, with a line that says why it ends. There is no room at all behind that line. */
  private cut(bytes: Uint8Array, room: number): Uint8Array {
    if (room < 0) return Buffer.alloc(0);
    const head = bytes.subarray(0, room);
    const atLineStart = room === 0 ? this.log.tally.atLineStart : head.at(-1) === 0x0a;
    const notice = `[sluice] the log ends here: the limit of ${this.options.maxBytes} bytes is reached\n`;
    return Buffer.concat([head, Buffer.from(atLineStart ? notice : `\n${notice}`)]);
  }

  private async append(bytes: Uint8Array): Promise<void> {
    const { log } = this;
    try {
      await Promise.all([appendFile(log.bytes, bytes), this.recordArrival(log.tally.bytes)]);
    } catch (cause) {
      throw new SluiceError('ERR_FULL', `The log ${log.path.bytes} cannot be written: ${messageOf(cause)}.`, {
        hint: 'Free some disk space, or choose another data folder.',
        cause,
      });
    }
  }

  /** After the bytes themselves: a mark is never ahead of what it stands for. */
  private async recordRaw(offset: number, raw: number): Promise<void> {
    if (this.log.resume) await appendFile(this.log.resume.raw, encodePair({ offset, value: raw }));
  }

  private async recordArrival(offset: number): Promise<void> {
    const at = this.clock();
    if (at === this.lastArrival) return;
    this.lastArrival = at;
    await appendFile(this.log.times, encodePair({ offset, value: at }));
  }

  private async close(complete: boolean): Promise<LogSeal> {
    const { bytes, times, path, resume } = this.log;
    try {
      const rest = this.masker.end();
      this.certain = this.rawBytes;
      const stored = await this.enqueue(rest).then(
        () => true,
        () => false,
      );
      // After a write that failed the file alone knows what is in it.
      const tally = stored ? this.log.tally : await tallyFile(path.bytes);
      // Of files that nothing was ever written to, their names are all that there is.
      const written = tally.bytes > 0 || resume ? [bytes, times] : [];
      await Promise.all([this.named, ...written.map((file) => datasync(file))]);
      return {
        bytes: tally.bytes,
        lines: tally.lines,
        sha256: tally.digest(),
        complete: complete && stored && !this.limited,
        masked: this.maskedBefore + this.masker.masked,
      };
    } finally {
      for (const file of resume ? [bytes, times, resume.raw] : [bytes, times]) closeSync(file);
    }
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return first && parts.length === 1 ? first : Buffer.concat(parts);
}

/** A new file is only sure to be found again when its folder is on the disk too. */
export async function syncFolder(folder: string): Promise<void> {
  const descriptor = openSync(folder, 'r');
  try {
    await sync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
