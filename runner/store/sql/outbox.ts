import type { Kysely, Selectable } from 'kysely';
import type { RunEvent } from '../../model/run-event.ts';
import type { NoticeTarget, RunRequest } from '../../model/run-request.ts';
import type { Notice } from '../outbox.ts';
import { findRun, runIsUnknown } from './run-rows.ts';
import type { OutboxTable, Schema } from './schema.ts';
import { corrupt, readEvent } from './stored-event.ts';

export async function createOutboxTable({ schema }: Kysely<Schema>): Promise<void> {
  await schema
    .createTable('outbox')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.run_id'))
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('not_before', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('outbox_key', ['kind', 'target', 'run_id'])
    .execute();
  await schema.createIndex('outbox_due').on('outbox').column('not_before').execute();
  await schema.createIndex('outbox_order').on('outbox').columns(['kind', 'target', 'at', 'run_id']).execute();
}

/** Writes what an event, the `version`th of its run, makes worth telling. */
export async function addNotices(db: Kysely<Schema>, runId: string, version: number, event: RunEvent): Promise<void> {
  const state = stateAfter(event);
  if (state === undefined) return;
  const request = 'request' in event ? event.request : await readRequest(db, runId);
  for (const target of request.notify ?? []) {
    // Subscribers hear of the end alone.
    if (target.kind === 'events' && state !== 'finished') continue;
    const fresh = { version, state, at: event.at, attempts: 0, not_before: event.at };
    await db
      .insertInto('outbox')
      .values({ kind: target.kind, target: target.name, run_id: runId, ...fresh })
      .onConflict((conflict) => conflict.columns(['kind', 'target', 'run_id']).doUpdateSet(fresh))
      .execute();
  }
}

export async function takeNotices(
  db: Kysely<Schema>,
  now: number,
  leaseMs: number,
  most: number,
): Promise<readonly Notice[]> {
  const taken: Notice[] = [];
  for (const row of await dueRows(db, now, most)) {
    const attempts = row.attempts + 1;
    const { numUpdatedRows } = await thisRow(db.updateTable('outbox'), row)
      .set({ attempts, not_before: now + leaseMs })
      .executeTakeFirst();
    if (numUpdatedRows === 1n) taken.push(await toNotice(db, { ...row, attempts }));
  }
  return taken;
}

export async function settleNotice(db: Kysely<Schema>, notice: Notice): Promise<void> {
  await thisRow(db.deleteFrom('outbox'), keyOf(notice)).execute();
}

export async function postponeNotice(db: Kysely<Schema>, notice: Notice, notBefore: number): Promise<void> {
  await thisRow(db.updateTable('outbox'), keyOf(notice)).set({ not_before: notBefore }).execute();
}

export async function nextNotice(db: Kysely<Schema>): Promise<number | undefined> {
  const row = await heads(db).select('outbox.not_before').orderBy('outbox.not_before').limit(1).executeTakeFirst();
  return row?.not_before;
}

/** A run that was requested before it was created is queued since then. */
function stateAfter(event: RunEvent): Notice['state'] | undefined {
  switch (event.type) {
    // Before that nobody knows whether a pipeline wants the run, nor what that is called.
    case 'run-created':
      return 'queued';
    case 'run-started':
      return 'running';
    case 'run-finished':
      return event.verdict.reason === 'not_triggered' ? undefined : 'finished';
    default:
      return undefined;
  }
}

function dueRows(db: Kysely<Schema>, now: number, most: number): Promise<readonly Selectable<OutboxTable>[]> {
  return heads(db)
    .selectAll('outbox')
    .where('outbox.not_before', '<=', now)
    .orderBy('outbox.at')
    .orderBy('outbox.run_id')
    .limit(most)
    .execute();
}

/** Rows that no older one of the same subscriber stands before. */
function heads(db: Kysely<Schema>) {
  return db.selectFrom('outbox').where((eb) =>
    eb.not(
      eb.exists(
        eb
          .selectFrom('outbox as older')
          .select('older.run_id')
          .where('outbox.kind', '=', 'events')
          .whereRef('older.kind', '=', 'outbox.kind')
          .whereRef('older.target', '=', 'outbox.target')
          .where((older) =>
            older(older.refTuple('older.at', 'older.run_id'), '<', older.refTuple('outbox.at', 'outbox.run_id')),
          ),
      ),
    ),
  );
}

type RowKey = Pick<OutboxTable, 'kind' | 'target' | 'run_id' | 'version' | 'attempts'>;

/** The row, unless it speaks of a newer event or was taken by somebody else meanwhile. */
function thisRow<Query extends { where(column: keyof RowKey, operator: '=', value: string | number): Query }>(
  query: Query,
  { kind, target, run_id, version, attempts }: RowKey,
): Query {
  return query
    .where('kind', '=', kind)
    .where('target', '=', target)
    .where('run_id', '=', run_id)
    .where('version', '=', version)
    .where('attempts', '=', attempts);
}

function keyOf({ target, runId, version, attempts }: Notice): RowKey {
  return { kind: target.kind, target: target.name, run_id: runId, version, attempts };
}

async function toNotice(db: Kysely<Schema>, row: Selectable<OutboxTable>): Promise<Notice> {
  const target: NoticeTarget = { kind: row.kind, name: row.target };
  const { run_id: runId, version, state, at, attempts } = row;
  const [run, request] = [await findRun(db, runId), await readRequest(db, runId)];
  if (!run) throw runIsUnknown(runId);
  return { target, runId, version, state, at, attempts, run, request };
}

/** What the first event of the run says was asked for. */
async function readRequest(db: Kysely<Schema>, runId: string): Promise<RunRequest> {
  const first = await db
    .selectFrom('events')
    .select('body')
    .where('run_id', '=', runId)
    .where('version', '=', 1)
    .executeTakeFirst();
  if (!first) throw corrupt(runId, 1, 'it is missing');
  const event = readEvent(runId, 1, first.body);
  if (!('request' in event)) throw corrupt(runId, 1, 'it is not the one that a run begins with');
  return event.request;
}
