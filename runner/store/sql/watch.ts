import type { Kysely } from 'kysely';
import { foundByLook } from '../intake.ts';
import type { Delivery } from '../intake.ts';
import type { DueSchedule, Look, PlannedSchedule, Sighting } from '../watch.ts';
import { deliver } from './deliveries.ts';
import { findRepository, lockRepository } from './repositories.ts';
import type { Schema } from './schema.ts';

const mostDue = 100;

export async function createWatchTables({ schema }: Kysely<Schema>): Promise<void> {
  await schema
    .createTable('looks')
    .addColumn('repository_id', 'text', (column) => column.primaryKey())
    .addColumn('taken_at', 'bigint', (column) => column.notNull())
    .addColumn('finished_at', 'bigint')
    .addColumn('schedules_of', 'text', (column) => column.notNull())
    .execute();
  await schema
    .createTable('seen_refs')
    .addColumn('repository_id', 'text', (column) => column.notNull())
    .addColumn('ref', 'text', (column) => column.notNull())
    .addColumn('commit_id', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('seen_refs_key', ['repository_id', 'ref'])
    .execute();
  await schema
    .createTable('schedules')
    .addColumn('repository_id', 'text', (column) => column.notNull())
    .addColumn('cron', 'text', (column) => column.notNull())
    .addColumn('timezone', 'text', (column) => column.notNull())
    .addColumn('next_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('schedules_key', ['repository_id', 'cron', 'timezone'])
    .execute();
  await schema.createIndex('schedules_next').on('schedules').column('next_at').execute();
  await schema.alterTable('deliveries').addColumn('head', 'text').execute();
  await schema.createIndex('deliveries_head').on('deliveries').columns(['repository_id', 'head']).execute();
}

export async function takeLook(
  db: Kysely<Schema>,
  now: number,
  before: number,
  busyWith: readonly string[] = [],
): Promise<Look | undefined> {
  for (;;) {
    const next = await db
      .selectFrom('repositories')
      .leftJoin('looks', 'looks.repository_id', 'repositories.id')
      .select(['repositories.id', 'looks.taken_at', 'looks.finished_at', 'looks.schedules_of'])
      .where((eb) =>
        eb.or([
          eb('looks.taken_at', 'is', null),
          eb('looks.taken_at', '<=', before),
          eb('looks.taken_at', '>', now + (now - before)),
        ]),
      )
      .$if(busyWith.length > 0, (query) => query.where('repositories.id', 'not in', busyWith))
      .orderBy((eb) => eb.fn.coalesce('looks.taken_at', eb.lit(0)))
      .orderBy('repositories.id')
      .limit(1)
      .executeTakeFirst();
    const repository = next && (await findRepository(db, 'id', next.id));
    if (!repository) return undefined;
    // Otherwise another runner was quicker.
    if (!(await markTaken(db, repository.id, next.taken_at, now))) continue;
    return { repository, since: next.finished_at ?? undefined, schedulesOf: next.schedules_of ?? '' };
  }
}

async function markTaken(db: Kysely<Schema>, id: string, last: number | null, now: number): Promise<boolean> {
  if (last === null) {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('looks')
      .values({ repository_id: id, taken_at: now, finished_at: null, schedules_of: '' })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    return numInsertedOrUpdatedRows === 1n;
  }
  const { numUpdatedRows } = await db
    .updateTable('looks')
    .set({ taken_at: now })
    .where('repository_id', '=', id)
    .where('taken_at', '=', last)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function listSeenRefs(db: Kysely<Schema>, repositoryId: string): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom('seen_refs')
    .select(['ref', 'commit_id'])
    .where('repository_id', '=', repositoryId)
    .execute();
  return new Map(rows.map((row) => [row.ref, row.commit_id]));
}

export async function recordSightings(
  db: Kysely<Schema>,
  repositoryId: string,
  sightings: readonly Sighting[],
  since: number,
): Promise<readonly Delivery[]> {
  // A delivery that is on its way is stored before, or sees what is stored here.
  if (!(await lockRepository(db, repositoryId))) return [];
  const stored: Delivery[] = [];
  for (const sighting of sightings) {
    const { delivery } = sighting;
    if (!(await moveRef(db, repositoryId, sighting)) || !delivery) continue;
    if (await isAnnounced(db, repositoryId, delivery.head ?? '', since)) continue;
    stored.push(await deliver(db, delivery));
  }
  return stored;
}

async function moveRef(db: Kysely<Schema>, repositoryId: string, { ref, was, commit }: Sighting): Promise<boolean> {
  if (was === '') {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('seen_refs')
      .values({ repository_id: repositoryId, ref, commit_id: commit })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    return numInsertedOrUpdatedRows === 1n;
  }
  if (commit === '') {
    const { numDeletedRows } = await db
      .deleteFrom('seen_refs')
      .where('repository_id', '=', repositoryId)
      .where('ref', '=', ref)
      .where('commit_id', '=', was)
      .executeTakeFirst();
    return numDeletedRows === 1n;
  }
  const { numUpdatedRows } = await db
    .updateTable('seen_refs')
    .set({ commit_id: commit })
    .where('repository_id', '=', repositoryId)
    .where('ref', '=', ref)
    .where('commit_id', '=', was)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

async function isAnnounced(db: Kysely<Schema>, repositoryId: string, head: string, since: number): Promise<boolean> {
  const row = await db
    .selectFrom('deliveries')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .where('head', '=', head)
    .where('event', '<>', foundByLook)
    .where('received_at', '>=', since)
    .executeTakeFirst();
  return row !== undefined;
}

export async function finishLook(db: Kysely<Schema>, repositoryId: string, at: number): Promise<void> {
  await db.updateTable('looks').set({ finished_at: at }).where('repository_id', '=', repositoryId).execute();
}

export async function keepSchedules(
  db: Kysely<Schema>,
  repositoryId: string,
  commit: string,
  schedules: readonly PlannedSchedule[],
): Promise<void> {
  if (!(await lockRepository(db, repositoryId))) return;
  const rows = await db
    .selectFrom('schedules')
    .select(['cron', 'timezone', 'next_at'])
    .where('repository_id', '=', repositoryId)
    .execute();
  const nextAt = new Map(rows.map((row) => [keyOf(row), row.next_at]));
  await db.deleteFrom('schedules').where('repository_id', '=', repositoryId).execute();
  const wanted = new Map(schedules.map((schedule) => [keyOf(schedule), schedule]));
  for (const [key, { cron, timezone, nextAt: first }] of wanted) {
    const next_at = nextAt.get(key) ?? first;
    await db.insertInto('schedules').values({ repository_id: repositoryId, cron, timezone, next_at }).execute();
  }
  await db.updateTable('looks').set({ schedules_of: commit }).where('repository_id', '=', repositoryId).execute();
}

function keyOf({ cron, timezone }: { readonly cron: string; readonly timezone: string }): string {
  return JSON.stringify([cron, timezone]);
}

export async function listDueSchedules(db: Kysely<Schema>, now: number): Promise<readonly DueSchedule[]> {
  const rows = await db
    .selectFrom('schedules')
    .selectAll()
    .where('next_at', '<=', now)
    .orderBy('next_at')
    .limit(mostDue)
    .execute();
  return rows.map((row) => ({
    repositoryId: row.repository_id,
    cron: row.cron,
    timezone: row.timezone,
    nextAt: row.next_at,
  }));
}

export async function postponeSchedule(
  db: Kysely<Schema>,
  { repositoryId, cron, timezone, nextAt: last }: DueSchedule,
  nextAt: number,
): Promise<void> {
  await db
    .updateTable('schedules')
    .set({ next_at: nextAt })
    .where('repository_id', '=', repositoryId)
    .where('cron', '=', cron)
    .where('timezone', '=', timezone)
    .where('next_at', '=', last)
    .execute();
}
