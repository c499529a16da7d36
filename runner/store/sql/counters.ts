import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/**
 * The last of the next `count` numbers of a row of numbers. Its lock is held until the transaction ends, so that numbers
 * appear in their order and without gaps.
 */
export async function takeNumbers(db: Kysely<Schema>, name: 'events' | 'audit', count: number): Promise<number> {
  const { value } = await db
    .updateTable('counters')
    .set((row) => ({ value: row('value', '+', count) }))
    .where('name', '=', name)
    .returning('value')
    .executeTakeFirstOrThrow();
  return value;
}
