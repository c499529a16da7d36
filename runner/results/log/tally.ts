import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

const newline = 0x0a;

/** Length, lines and digest of the bytes of a log, while it grows. */
export class Tally {
  bytes = 0;
  private readonly hash = createHash('sha256');
  private newlines = 0;
  private lastByte = newline;

  add(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    this.hash.update(chunk);
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) this.newlines += 1;
    this.lastByte = chunk.at(-1) ?? this.lastByte;
  }

  get atLineStart(): boolean {
    return this.lastByte === newline;
  }

  /** A last line without an end counts. */
  get lines(): number {
    return this.newlines + (this.atLineStart ? 0 : 1);
  }

  digest(): string {
    return this.hash.copy().digest('hex');
  }
}

export async function tallyFile(path: string): Promise<Tally> {
  const tally = new Tally();
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 }) as AsyncIterable<Buffer>)
    tally.add(chunk);
  return tally;
}
