import { createHash } from 'node:crypto';
import type { AuditEntry } from './server-records.ts';

/** What the first entry takes for the hash before it. */
export const chainStart = '0'.repeat(64);

/** The hash of an entry behind another one. */
export function hashOf(previous: string, entry: Omit<AuditEntry, 'hash'>): string {
  const { position, at, actor, action, object, requestId } = entry;
  return createHash('sha256')
    .update(JSON.stringify([previous, position, at, actor, action, object, requestId]))
    .digest('hex');
}

/** The first position at which a trail, read from its beginning, is not what was written; undefined when all is well. */
export function firstBreak(entries: readonly AuditEntry[]): number | undefined {
  let previous = chainStart;
  for (const [index, entry] of entries.entries()) {
    if (entry.position !== index + 1 || entry.hash !== hashOf(previous, entry)) return index + 1;
    previous = entry.hash;
  }
  return undefined;
}
