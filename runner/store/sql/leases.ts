import type { Kysely } from 'kysely';
import { SluiceError } from '../../model/errors.ts';
import type { Lease, RunRow } from '../store.ts';
import { runIsUnknown } from './run-rows.ts';
import type { Schema } from './schema.ts';

/**
 * Refuses a lease that is not the newest, and keeps the run as it is until the transaction ends: nobody takes it over or
 * ends it meanwhile. Writing the row unchanged is the lock that every database understands.
 */
export async function holdLease(db: Kysely<Schema>, lease: Lease): Promise<RunRow['phase']> {
  const { runId, fence } = lease;
  const row = await db
    .updateTable('runs')
    .set({ fence })
    .where('run_id', '=', runId)
    .where('fence', '=', fence)
    .returning('phase')
    .executeTakeFirst();
  if (!row) throw await refusal(db, lease);
  return row.phase;
}

/** Why a write under this lease found no row; `expected` is the version that it was to follow. */
export async function refusal(db: Kysely<Schema>, lease: Lease, expected?: number): Promise<SluiceError> {
  const { runId } = lease;
  const run = await db.selectFrom('runs').select(['version', 'fence']).where('run_id', '=', runId).executeTakeFirst();
  if (!run) return runIsUnknown(runId);
  if (run.fence !== lease.fence || expected === undefined) {
    const hint = 'This process must not write to the run any more.';
    return new SluiceError('ERR_CONFLICT', `Run ${runId} was taken over by another process.`, { hint });
  }
  return new SluiceError('ERR_CONFLICT', `Run ${runId} is at version ${run.version}, not at ${expected}.`, {
    hint: 'Read the events behind the known version and decide again.',
  });
}
