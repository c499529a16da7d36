import type { Kysely } from 'kysely';
import type { KeptAnswer } from '../server-records.ts';
import type { Schema } from './schema.ts';

const dayMs = 86_400_000;

export async function takeAnswer(
  db: Kysely<Schema>,
  subject: string,
  key: string,
  fingerprint: string,
  now: number,
): Promise<KeptAnswer | undefined> {
  await db
    .deleteFrom('answers')
    .where('created_at', '<', now - dayMs)
    .execute();
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('answers')
    .values({ subject, key, fingerprint, status: null, body: null, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 1n) return undefined;
  const kept = await db
    .selectFrom('answers')
    .select(['fingerprint', 'status', 'body'])
    .where('subject', '=', subject)
    .where('key', '=', key)
    .executeTakeFirstOrThrow();
  return {
    fingerprint: kept.fingerprint,
    ...(kept.status !== null && { status: kept.status }),
    ...(kept.body !== null && { body: kept.body }),
  };
}

export async function keepAnswer(
  db: Kysely<Schema>,
  subject: string,
  key: string,
  { status, body }: { readonly status: number; readonly body?: string },
): Promise<void> {
  await db
    .updateTable('answers')
    .set({ status, body: body ?? null })
    .where('subject', '=', subject)
    .where('key', '=', key)
    .execute();
}

export async function dropAnswer(db: Kysely<Schema>, subject: string, key: string): Promise<void> {
  await db.deleteFrom('answers').where('subject', '=', subject).where('key', '=', key).execute();
}
