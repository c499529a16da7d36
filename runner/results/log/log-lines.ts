import { timeline } from './arrival-times.ts';
import type { LogLine } from './logs.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;
/** A longer line comes in pieces of this size, so that no log fills the memory. */
const maxLineBytes = 1_048_576;

/** Lines of a log with the time at which their first byte arrived; a last line without an end counts too. */
export async function* readLines(content: AsyncIterable<Buffer>, index: Buffer): AsyncGenerator<LogLine> {
  const timeAt = timeline(index);
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for await (const chunk of content) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      yield { at: timeAt(offset + start), bytes: withoutReturn(bytes.subarray(start, end)) };
      start = end + 1;
    }
    for (; bytes.length - start > maxLineBytes; start += maxLineBytes) {
      yield { at: timeAt(offset + start), bytes: bytes.subarray(start, start + maxLineBytes) };
    }
    rest = bytes.subarray(start);
    offset += start;
  }
  if (rest.length > 0) yield { at: timeAt(offset), bytes: rest };
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
}
