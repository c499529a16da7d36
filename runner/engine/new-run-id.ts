import { randomBytes } from 'node:crypto';

/** Sorts by time; short enough to type, random enough not to be guessed at or to collide. */
export function newRunId(at: number): string {
  return `${at.toString(36)}-${randomBytes(4).readUInt32BE().toString(36).padStart(7, '0')}`;
}
