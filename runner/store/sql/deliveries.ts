import type { Kysely, Selectable } from 'kysely';
import { foundByLook } from '../intake.ts';
import type { Delivery, DeliveryFilter, NewDelivery } from '../intake.ts';
import { bindRepository } from './repositories.ts';
import { enqueue } from './run-queue.ts';
import type { DeliveriesTable, Schema } from './schema.ts';

export async function deliver(db: Kysely<Schema>, { delivery, boundTo, run, head }: NewDelivery): Promise<Delivery> {
  await bindRepository(db, delivery.repositoryId, boundTo);
  const known = await findUnique(db, delivery.repositoryId, 'forge_id', delivery.forgeId);
  if (known) return known;
  const same =
    run &&
    ((await findUnique(db, delivery.repositoryId, 'change', run.change)) ??
      (await takeFound(db, delivery, run.change, head)));
  const stored = same ? repeated(delivery, same) : first(delivery, run);
  if (run && !same) await enqueue(db, run.event);
  await db
    .insertInto('deliveries')
    .values({
      id: stored.id,
      repository_id: stored.repositoryId,
      forge_id: stored.forgeId,
      change: run && !same ? run.change : null,
      event: stored.event,
      received_at: stored.receivedAt,
      outcome: stored.outcome,
      reason: stored.reason,
      run_id: stored.runId ?? null,
      payload: stored.payload,
      head: head ?? null,
    })
    .execute();
  return stored;
}

export async function listDeliveries(db: Kysely<Schema>, filter: DeliveryFilter): Promise<readonly Delivery[]> {
  if (filter.repositoryIds?.length === 0) return [];
  let query = db.selectFrom('deliveries').selectAll().orderBy('received_at', 'desc').orderBy('id', 'desc');
  if (filter.repositoryIds) query = query.where('repository_id', 'in', filter.repositoryIds);
  if (filter.limit !== undefined) query = query.limit(filter.limit);
  const last = filter.after === undefined ? undefined : await findDelivery(db, filter.after);
  if (last) query = query.where((eb) => eb(eb.refTuple('received_at', 'id'), '<', eb.tuple(last.receivedAt, last.id)));
  return (await query.execute()).map(toDelivery);
}

export async function findDelivery(db: Kysely<Schema>, id: string): Promise<Delivery | undefined> {
  const row = await db.selectFrom('deliveries').selectAll().where('id', '=', id).executeTakeFirst();
  return row && toDelivery(row);
}

/** The delivery of a repository that has this value in a column where it is unique. */
async function findUnique(
  db: Kysely<Schema>,
  repositoryId: string,
  column: 'forge_id' | 'change',
  value: string,
): Promise<Delivery | undefined> {
  const row = await db
    .selectFrom('deliveries')
    .selectAll()
    .where('repository_id', '=', repositoryId)
    .where(column, '=', value)
    .executeTakeFirst();
  return row && toDelivery(row);
}

/**
 * The delivery by which a look found the head that is announced only now. It stands for that change from here on: a ref
 * that comes back to the same commit later is another.
 */
async function takeFound(
  db: Kysely<Schema>,
  { repositoryId, event }: NewDelivery['delivery'],
  change: string,
  head: string | undefined,
): Promise<Delivery | undefined> {
  if (head === undefined || event === foundByLook) return undefined;
  const row = await db
    .updateTable('deliveries')
    .set({ change, head: null })
    .where('repository_id', '=', repositoryId)
    .where('head', '=', head)
    .where('event', '=', foundByLook)
    .returningAll()
    .executeTakeFirst();
  return row && toDelivery(row);
}

function first(delivery: NewDelivery['delivery'], run: NewDelivery['run']): Delivery {
  return run ? { ...delivery, outcome: 'run', runId: run.event.runId } : { ...delivery, outcome: 'ignored' };
}

function repeated(delivery: NewDelivery['delivery'], { id, runId }: Delivery): Delivery {
  const reason = `Delivery ${id} announced the same change.`;
  return { ...delivery, outcome: 'duplicate', reason, ...(runId !== undefined && { runId }) };
}

function toDelivery(row: Selectable<DeliveriesTable>): Delivery {
  const { id, event, outcome, reason, payload } = row;
  const from = { repositoryId: row.repository_id, forgeId: row.forge_id, receivedAt: row.received_at };
  return { id, ...from, event, outcome, reason, payload, ...(row.run_id !== null && { runId: row.run_id }) };
}
