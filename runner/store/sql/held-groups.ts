import type { Kysely } from 'kysely';
import { SluiceError } from '../../model/errors.ts';
import type { Lease } from '../store.ts';
import { holdLease } from './leases.ts';
import type { Schema } from './schema.ts';

export async function acquireGroup(
  db: Kysely<Schema>,
  lease: Lease,
  name: string,
  holder: string,
  acquiredAt: number,
): Promise<string> {
  const { runId } = lease;
  // The end of a run frees its groups once; one taken after that would be held for ever.
  if ((await holdLease(db, lease)) === 'finished') {
    throw new SluiceError('ERR_CONFLICT', `Run ${runId} has ended and cannot take the group "${name}".`);
  }
  const held = await db
    .insertInto('held_groups')
    .values({ name, holder, run_id: runId, acquired_at: acquiredAt })
    // Changes nothing, but answers whoever holds it at this moment.
    .onConflict((conflict) => conflict.column('name').doUpdateSet((row) => ({ name: row.ref('held_groups.name') })))
    .returning('holder')
    .executeTakeFirstOrThrow();
  return held.holder;
}

export async function releaseGroup(db: Kysely<Schema>, lease: Lease, name: string, holder: string): Promise<void> {
  await holdLease(db, lease);
  await db.deleteFrom('held_groups').where('name', '=', name).where('holder', '=', holder).execute();
}

export async function releaseGroupsOf(db: Kysely<Schema>, runId: string): Promise<void> {
  await db.deleteFrom('held_groups').where('run_id', '=', runId).execute();
}
