import type { Readable } from 'node:stream';
import type { AttemptKey, LogSeal } from '../../model/result.ts';

/** The log of one attempt while it is written. Bytes are masked before they reach a disk or an observer. */
export interface LogWriter {
  /** So many bytes of the raw output were stored before it was opened, when it was opened to go on. */
  readonly offset: number;
  /** Resolves when the caller may write more. */
  write(chunk: Uint8Array): Promise<void>;
  /** Flushes what masking holds back, syncs, and closes the log for good. Safe to call twice: the same seal. */
  seal(complete: boolean): Promise<LogSeal>;
}

export interface LogLine {
  /** When its first byte arrived, ms since the epoch. */
  readonly at: number;
  /** Without the line end. Bytes, because a log need not be text. */
  readonly bytes: Uint8Array;
}

/** Logs of attempts: raw bytes beside an index of arrival times. */
export interface Logs {
  /**
   * `secrets` are masked in every usual encoding; `observer` gets the masked bytes as they are stored; more than `maxBytes`
   * are not stored, and `onLimit` is called once. A log left open by a dead process is continued behind its last byte.
   */
  open(
    key: AttemptKey,
    options: {
      readonly secrets: readonly string[];
      readonly maxBytes: number;
      /** Who writes can say the output again from any byte: a log left open goes on exactly where it ended. */
      readonly resumes?: boolean;
      readonly observer: (chunk: Uint8Array) => void;
      readonly onLimit: () => void;
    },
  ): Promise<LogWriter>;
  /**
   * Stored bytes, `end` exclusive; with the seal of an attempt that has ended wherever it ran. ERR_NOT_FOUND when the
   * attempt has no log, or one on another machine that is not sealed.
   */
  read(key: AttemptKey, range?: { readonly start: number; readonly end?: number }, seal?: LogSeal): Promise<Readable>;
  lines(key: AttemptKey, seal?: LogSeal): AsyncIterable<LogLine>;
}
