/**
 * The index beside a log: one record for each chunk that came with another tick of the clock, in the order of the bytes.
 * A record is an offset and when the byte there arrived (ms since the epoch), 6 bytes each: room for 256 TiB.
 */
interface Arrival {
  readonly offset: number;
  readonly at: number;
}

const fieldBytes = 6;
const recordBytes = 2 * fieldBytes;

export function encodeArrival({ offset, at }: Arrival): Buffer {
  const record = Buffer.allocUnsafe(recordBytes);
  record.writeUIntLE(offset, 0, fieldBytes);
  record.writeUIntLE(at, fieldBytes, fieldBytes);
  return record;
}

/** Length of the index for a log of so many bytes: without records of bytes that are missing, or cut off by a crash. */
export function fittingLength(index: Buffer, logBytes: number): number {
  let length = index.length - (index.length % recordBytes);
  while (length > 0 && offsetAt(index, length - recordBytes) >= logBytes) length -= recordBytes;
  return length;
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
