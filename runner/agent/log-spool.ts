import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';

/**
 * Output that the runner has not stored yet, in a file that no path leads to: the command beside runs on while the runner
 * is away, and can neither cut nor replace what it has said.
 */
export class LogSpool {
  readonly #file: number;
  readonly #maxBytes: number;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #dropped = false;
  #more = Promise.withResolvers<undefined>();
  #ended = false;

  constructor(path: string, maxBytes: number) {
    this.#file = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get ended(): boolean {
    return this.#ended;
  }

  append(chunk: Uint8Array): void {
    const kept = chunk.subarray(0, Math.max(0, this.#maxBytes - this.#bytes));
    if (kept.length < chunk.length) this.#dropped = true;
    for (let done = 0; done < kept.length;) done += writeSync(this.#file, kept, done, kept.length - done, null);
    this.#hash.update(kept);
    this.#bytes += kept.length;
    this.#wake();
  }

  /** Nothing more comes. `cut` when the output did not come to its own end. */
  end(cut = false): void {
    this.#ended = true;
    this.#dropped ||= cut;
    this.#wake();
  }

  /** Bytes from an offset on, as many as the buffer holds, in its place; empty when there are none yet. */
  read(offset: number, buffer: Uint8Array): Uint8Array {
    const most = Math.min(buffer.length, this.#bytes - offset);
    let length = 0;
    while (length < most) {
      const read = readSync(this.#file, buffer, length, most - length, offset + length);
      if (read === 0) break;
      length += read;
    }
    return buffer.subarray(0, length);
  }

  /** Settles when there is more to read than before, or nothing more comes. */
  async changed(): Promise<void> {
    await this.#more.promise;
  }

  summary(): { readonly bytes: number; readonly sha256: string; readonly complete: boolean } {
    return { bytes: this.#bytes, sha256: this.#hash.copy().digest('hex'), complete: !this.#dropped };
  }

  close(): void {
    closeSync(this.#file);
  }

  #wake(): void {
    this.#more.resolve(undefined);
    this.#more = Promise.withResolvers();
  }
}
