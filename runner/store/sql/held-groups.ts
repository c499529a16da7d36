import type { Kysely } from 'kysely';
import { SluiceError } from '../../model/errors.ts';
import { requireRun } from './run-rows.ts';
import type { Schema } from './schema.ts';

export async function acquireGroup(
  db: Kysely<Schema>,
  name: string,
  holder: string,
  acquiredAt: number,
): Promise<string> {
  const [runId = ''] = holder.split('/');
  // The end of a run frees its groups once; one taken after that would be held for ever.
  if ((await requireRun(db, runId)).phase === 'finished') {
    throw new SluiceError('ERR_CONFLICT', `Run ${runId} has ended and cannot take the group "${name}".`);
  }
  await db
    .insertInto('held_groups')
    .values({ name, holder, run_id: runId, acquired_at: acquiredAt })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const held = await db.selectFrom('held_groups').select('holder').where('name', '=', name).executeTakeFirstOrThrow();
  return held.holder;
}

export async function releaseGroup(db: Kysely<Schema>, name: string, holder: string): Promise<void> {
  await db.deleteFrom('held_groups').where('name', '=', name).where('holder', '=', holder).execute();
}

export async function releaseGroupsOf(db: Kysely<Schema>, runId: string): Promise<void> {
  await db.deleteFrom('held_groups').where('run_id', '=', runId).execute();
}
