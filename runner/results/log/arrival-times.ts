/**
 * Records beside a log, in the order of its bytes: an offset and a value, 6 bytes each, which is room for 256 TiB. In the
 * index of arrival times the value is when the byte there arrived (ms since the epoch), one record for each chunk that came
 * with another tick of the clock. In the index of raw output it is the byte of that up to which the log reaches.
 */
interface Pair {
  readonly offset: number;
  readonly value: number;
}

const fieldBytes = 6;
const recordBytes = 2 * fieldBytes;

export function encodePair({ offset, value }: Pair): Buffer {
  const record = Buffer.allocUnsafe(recordBytes);
  record.writeUIntLE(offset, 0, fieldBytes);
  record.writeUIntLE(value, fieldBytes, fieldBytes);
  return record;
}

/** Length of the index for a log of so many bytes: without records of bytes that are missing, or cut off by a crash. */
export function fittingLength(index: Buffer, logBytes: number): number {
  let length = index.length - (index.length % recordBytes);
  while (length > 0 && offsetAt(index, length - recordBytes) >= logBytes) length -= recordBytes;
  return length;
}

/** The last record that a log of so many bytes reaches. */
export function lastReached(index: Buffer, logBytes: number): Pair | undefined {
  const start = fittingLength(index, logBytes + 1) - recordBytes;
  if (start < 0) return undefined;
  return { offset: offsetAt(index, start), value: index.readUIntLE(start + fieldBytes, fieldBytes) };
}

/** When the byte at an offset arrived. Ask for offsets that only grow. */
export function timeline(index: Buffer): (offset: number) => number {
  let current = 0;
  return (offset) => {
    for (
      let next = current + recordBytes;
      hasRecord(index, next) && offsetAt(index, next) <= offset;
      next += recordBytes
    ) {
      current = next;
    }
    return hasRecord(index, current) ? index.readUIntLE(current + fieldBytes, fieldBytes) : 0;
  };
}

function hasRecord(index: Buffer, start: number): boolean {
  return start + recordBytes <= index.length;
}

function offsetAt(index: Buffer, start: number): number {
  return index.readUIntLE(start, fieldBytes);
}
