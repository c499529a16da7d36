import type { Kysely } from 'kysely';
import type { QueueDepth, RunRequested } from '../intake.ts';
import { nobody } from '../store.ts';
import type { Lease, Owner } from '../store.ts';
import { insertRun } from './event-log.ts';
import { ownerColumns } from './run-owners.ts';
import type { Schema } from './schema.ts';

export async function enqueue(db: Kysely<Schema>, event: RunRequested): Promise<void> {
  const { runId, request, at: createdAt } = event;
  const { repository, priority = 0 } = request;
  const { branch, commit, event: kind } = request.trigger;
  const known = { runId, repository, branch, commit, event: kind, priority, createdAt };
  // What its pipeline is called, and which group it takes, nobody has read yet.
  await insertRun(db, { ...known, pipeline: '', group: '', phase: 'queued', held: request.held === true }, event, {
    owner: nobody,
    fence: 0,
  });
}

export async function takeQueued(db: Kysely<Schema>, owner: Owner, most: number): Promise<Lease | undefined> {
  for (;;) {
    const next = await nextQueued(db, most);
    if (!next) return undefined;
    const fence = next.fence + 1;
    const { numUpdatedRows } = await db
      .updateTable('runs')
      .set({ fence, ...ownerColumns(owner) })
      .where('run_id', '=', next.run_id)
      .where('owner_id', '=', nobody.id)
      .where('fence', '=', next.fence)
      .executeTakeFirst();
    // Otherwise another runner was quicker, and the next one in the queue may be free.
    if (numUpdatedRows === 1n) return { runId: next.run_id, fence };
  }
}

export async function queueDepth(db: Kysely<Schema>): Promise<QueueDepth> {
  const rows = await db
    .selectFrom('runs')
    .select(['held', (eb) => eb.fn.countAll<number>().as('runs')])
    .where('finished_at', 'is', null)
    .where('owner_id', '=', nobody.id)
    .groupBy('held')
    .execute();
  const of = (held: number): number => rows.find((row) => row.held === held)?.runs ?? 0;
  return { ready: of(0), held: of(1) };
}

/**
 * Between repositories a priority counts nothing: each has one run that is its next, and of those with as many runs under
 * way it is the turn of the oldest. What is asked for later goes behind it, so that nobody's priorities hold up others for ever.
 */
async function nextQueued(db: Kysely<Schema>, most: number) {
  return db
    .with('busy', (cte) =>
      cte
        .selectFrom('runs')
        .select(['repository', (eb) => eb.fn.countAll<number>().as('runs')])
        .where('finished_at', 'is', null)
        .where('owner_id', '<>', nobody.id)
        .groupBy('repository'),
    )
    .with('ready', (cte) =>
      cte
        .selectFrom('runs')
        .select(['run_id', 'repository', 'fence', 'created_at'])
        .select((eb) =>
          eb.fn
            .agg<number>('row_number')
            .over((over) =>
              over.partitionBy('repository').orderBy('priority', 'desc').orderBy('created_at').orderBy('run_id'),
            )
            .as('place'),
        )
        .where('finished_at', 'is', null)
        .where('owner_id', '=', nobody.id)
        .where('held', '=', 0),
    )
    .selectFrom('ready')
    .leftJoin('busy', 'busy.repository', 'ready.repository')
    .select(['ready.run_id', 'ready.fence'])
    .where('ready.place', '=', 1)
    .where((eb) => eb(eb.fn.coalesce('busy.runs', eb.lit(0)), '<', most))
    .orderBy((eb) => eb.fn.coalesce('busy.runs', eb.lit(0)))
    .orderBy('ready.created_at')
    .orderBy('ready.run_id')
    .limit(1)
    .executeTakeFirst();
}
