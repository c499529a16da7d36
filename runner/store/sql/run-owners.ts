import type { Kysely, Selectable } from 'kysely';
import { nobody } from '../store.ts';
import type { Lease, Owner, RunRow } from '../store.ts';
import type { Liveness } from './liveness.ts';
import { runIsUnknown, toRunRow, unfinishedRuns } from './run-rows.ts';
import type { RunsTable, Schema } from './schema.ts';

type DeadAmong = Liveness['deadAmong'];

export async function claimRun(
  db: Kysely<Schema>,
  runId: string,
  owner: Owner,
  deadAmong: DeadAmong,
): Promise<Lease | undefined> {
  const run = await db.selectFrom('runs').selectAll().where('run_id', '=', runId).executeTakeFirst();
  if (!run) throw runIsUnknown(runId);
  const free = run.owner_id === nobody.id || run.owner_id === owner.id;
  if (!free && !(await deadAmong(db, [ownerOf(run)])).has(run.owner_id)) return undefined;
  const fence = run.fence + 1;
  const { numUpdatedRows } = await db
    .updateTable('runs')
    .set({ fence, ...ownerColumns(owner) })
    .where('run_id', '=', runId)
    // Another process may have claimed it between the two statements.
    .where('fence', '=', run.fence)
    .executeTakeFirst();
  return numUpdatedRows === 1n ? { runId, fence } : undefined;
}

export async function abandonedRuns(db: Kysely<Schema>, deadAmong: DeadAmong): Promise<readonly RunRow[]> {
  const unfinished = (await unfinishedRuns(db)).filter(({ owner_id }) => owner_id !== nobody.id);
  const dead = await deadAmong(db, unfinished.map(ownerOf));
  return unfinished.filter((run) => dead.has(run.owner_id)).map(toRunRow);
}

function ownerOf(run: Selectable<RunsTable>): Owner {
  return { id: run.owner_id, host: run.owner_host, pid: run.owner_pid, startedAt: run.owner_started_at };
}

export function ownerColumns({ id, host, pid, startedAt }: Owner) {
  return { owner_id: id, owner_host: host, owner_pid: pid, owner_started_at: startedAt };
}
