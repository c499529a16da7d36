import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/** The id of the installation that has this database; `proposed`, where it has none yet. */
export async function keepInstallationId(db: Kysely<Schema>, proposed: string): Promise<string> {
  await db
    .insertInto('installation')
    .values({ one: 1, id: proposed })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return (await db.selectFrom('installation').select('id').executeTakeFirstOrThrow()).id;
}
