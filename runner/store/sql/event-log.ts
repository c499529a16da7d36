import type { Kysely, Updateable } from 'kysely';
import { SluiceError } from '../../model/errors.ts';
import type { RunEvent, StoredEvent } from '../../model/run-event.ts';
import type { Lease, NewRun, Owner, RunRow } from '../store.ts';
import { dropUnfinishedSaves } from './attempt-results.ts';
import { takeNumbers } from './counters.ts';
import { releaseGroupsOf } from './held-groups.ts';
import { refusal } from './leases.ts';
import { addNotices } from './outbox.ts';
import { ownerColumns } from './run-owners.ts';
import { runIsUnknown } from './run-rows.ts';
import type { RunsTable, Schema } from './schema.ts';
import { corrupt, readEvent } from './stored-event.ts';

export async function createRun(db: Kysely<Schema>, { row, event }: NewRun, owner: Owner): Promise<Lease> {
  const lease = { runId: row.runId, fence: 1 };
  await insertRun(db, { ...row, phase: 'created' }, event, { owner, fence: lease.fence });
  return lease;
}

/** The row of a new run with its first event. ERR_CONFLICT when the id is taken. */
export async function insertRun(
  db: Kysely<Schema>,
  row: NewRun['row'] & Pick<RunRow, 'phase'> & { readonly held?: boolean },
  event: RunEvent,
  { owner, fence }: { readonly owner: Owner; readonly fence: number },
): Promise<void> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('runs')
    .values({
      run_id: row.runId,
      repository: row.repository,
      pipeline: row.pipeline,
      branch: row.branch,
      commit_id: row.commit,
      event: row.event,
      phase: row.phase,
      outcome: null,
      reason: null,
      priority: row.priority,
      created_at: row.createdAt,
      finished_at: null,
      version: 1,
      group_name: row.group,
      held: row.held === true ? 1 : 0,
      fence,
      ...ownerColumns(owner),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 0n) throw new SluiceError('ERR_CONFLICT', `There is a run ${row.runId} already.`);
  await insertEvents(db, row.runId, 1, [event]);
}

export async function append(
  db: Kysely<Schema>,
  lease: Lease,
  expected: number,
  events: readonly RunEvent[],
): Promise<number> {
  const { runId, fence } = lease;
  const version = expected + events.length;
  const { numUpdatedRows } = await db
    .updateTable('runs')
    .set({ ...project(events), version })
    .where('run_id', '=', runId)
    .where('version', '=', expected)
    .where('fence', '=', fence)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw await refusal(db, lease, expected);
  await insertEvents(db, runId, expected + 1, events);
  if (events.some((event) => event.type === 'run-finished')) {
    await releaseGroupsOf(db, runId);
    await dropUnfinishedSaves(db, runId);
  }
  return version;
}

/** Without lease and expected version: the row lock alone puts the event behind those of other writers. */
export async function appendRequest(db: Kysely<Schema>, runId: string, event: RunEvent): Promise<number> {
  const row = await db
    .updateTable('runs')
    .set((runs) => ({ ...project([event]), version: runs('version', '+', 1) }))
    .where('run_id', '=', runId)
    .returning('version')
    .executeTakeFirst();
  if (!row) throw runIsUnknown(runId);
  await insertEvents(db, runId, row.version, [event]);
  return row.version;
}

export async function readEvents(db: Kysely<Schema>, runId: string, after: number): Promise<readonly StoredEvent[]> {
  const run = await db.selectFrom('runs').select('version').where('run_id', '=', runId).executeTakeFirst();
  if (!run) throw runIsUnknown(runId);
  const rows = await db
    .selectFrom('events')
    .select(['version', 'body'])
    .where('run_id', '=', runId)
    .where('version', '>', after)
    .orderBy('version')
    .execute();
  for (let version = after + 1; version <= run.version; version++) {
    if (rows[version - after - 1]?.version !== version) throw corrupt(runId, version, 'it is missing');
  }
  return rows.map(({ version, body }) => readEvent(runId, version, body));
}

async function insertEvents(
  db: Kysely<Schema>,
  runId: string,
  first: number,
  events: readonly RunEvent[],
): Promise<void> {
  const last = await takeNumbers(db, 'events', events.length);
  // Row by row: one prepared statement serves any number of events.
  for (const [index, event] of events.entries()) {
    await db
      .insertInto('events')
      .values({
        run_id: runId,
        version: first + index,
        body: JSON.stringify(event),
        position: last - events.length + index + 1,
      })
      .execute();
    await addNotices(db, runId, first + index, event);
  }
}

/** What the events change in the run's row. */
function project(events: readonly RunEvent[]): Updateable<RunsTable> {
  const changes: Updateable<RunsTable> = {};
  for (const event of events) Object.assign(changes, projectOne(event));
  return changes;
}

function projectOne(event: RunEvent): Updateable<RunsTable> {
  switch (event.type) {
    // Whoever takes it now runs it, or ends it.
    case 'run-reviewed':
    case 'cancel-requested':
      return { held: 0 };
    case 'run-created':
      return { phase: 'created', pipeline: event.pipeline, group_name: event.group };
    case 'run-waiting':
      return { phase: 'waiting' };
    case 'run-started':
      return { phase: 'running' };
    case 'run-finished': {
      const { outcome, reason = null } = event.verdict;
      return { phase: 'finished', outcome, reason, finished_at: event.at };
    }
    default:
      return {};
  }
}
