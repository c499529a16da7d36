import type { Kysely } from 'kysely';
import type { FeedEntry } from '../server-records.ts';
import type { Schema } from './schema.ts';
import { readEvent } from './stored-event.ts';

export async function readFeed(db: Kysely<Schema>, after: number, limit: number): Promise<readonly FeedEntry[]> {
  const rows = await db
    .selectFrom('events')
    .innerJoin('runs', 'runs.run_id', 'events.run_id')
    .select(['events.position', 'events.run_id', 'events.version', 'events.body', 'runs.repository'])
    .where('events.position', '>', after)
    .orderBy('events.position')
    .limit(limit)
    .execute();
  return rows.map(({ position, run_id, version, body, repository }) => ({
    position: position ?? 0,
    runId: run_id,
    repository,
    event: readEvent(run_id, version, body),
  }));
}

export async function feedEnd(db: Kysely<Schema>): Promise<number> {
  const row = await db.selectFrom('counters').select('value').where('name', '=', 'events').executeTakeFirst();
  return row?.value ?? 0;
}
