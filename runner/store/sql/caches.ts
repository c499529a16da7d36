import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

export async function findCache(db: Kysely<Schema>, scope: string, key: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('caches')
    .select('blob')
    .where('scope', '=', scope)
    .where('key', '=', key)
    .executeTakeFirst();
  return row?.blob;
}

export async function keepCache(
  db: Kysely<Schema>,
  scope: string,
  key: string,
  blob: string,
  createdAt: number,
): Promise<void> {
  await db
    .insertInto('caches')
    .values({ scope, key, blob, created_at: createdAt })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
