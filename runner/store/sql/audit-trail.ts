import type { Kysely } from 'kysely';
import { chainStart, hashOf } from '../audit-chain.ts';
import type { AuditEntry } from '../server-records.ts';
import { takeNumbers } from './counters.ts';
import type { Schema } from './schema.ts';

/** Entries are only ever added; each is chained to the one before. */
export async function addAudit(
  db: Kysely<Schema>,
  entry: Pick<AuditEntry, 'at' | 'actor' | 'action' | 'object' | 'requestId'>,
): Promise<void> {
  const position = await takeNumbers(db, 'audit', 1);
  const last = await db
    .selectFrom('audit')
    .select('hash')
    .where('position', '=', position - 1)
    .executeTakeFirst();
  const { at, actor, action, object, requestId } = entry;
  const hash = hashOf(last?.hash ?? chainStart, { position, at, actor, action, object, requestId });
  await db.insertInto('audit').values({ position, at, actor, action, object, request_id: requestId, hash }).execute();
}

export async function listAudit(db: Kysely<Schema>, after: number, limit: number): Promise<readonly AuditEntry[]> {
  const rows = await db
    .selectFrom('audit')
    .selectAll()
    .where('position', '>', after)
    .orderBy('position')
    .limit(limit)
    .execute();
  return rows.map(({ request_id: requestId, ...entry }) => ({ ...entry, requestId }));
}
