import { harmless } from '../terminal/text.ts';

const keptBytes = 8_192;

/** The end of what a step wrote, in bounded memory whatever it writes. */
export class LogTail {
  private bytes = Buffer.alloc(0);

  add(chunk: Uint8Array): void {
    this.bytes = Buffer.concat([this.bytes, chunk.subarray(-keptBytes)]).subarray(-keptBytes);
  }

  /** The last lines that show something, safe for a terminal. */
  lines(number: number, keepColors: boolean): readonly string[] {
    return tailLines(this.bytes, number, keepColors);
  }
}

export function tailLines(bytes: Buffer, number: number, keepColors: boolean): readonly string[] {
  const lines = bytes.toString('utf8').split('\n');
  // The first line is cut where the kept bytes begin.
  if (bytes.length >= keptBytes) lines.shift();
  return lines
    .map((line) => harmless(line, keepColors))
    .filter((line) => line.trim() !== '')
    .slice(-number);
}

/** Where to begin to read a log of this length for its last lines. */
export function tailStart(bytes: number): number {
  return Math.max(0, bytes - keptBytes);
}
