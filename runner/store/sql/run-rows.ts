import type { Kysely, Selectable } from 'kysely';
import { SluiceError } from '../../model/errors.ts';
import type { RunFilter, RunRow } from '../store.ts';
import type { RunsTable, Schema } from './schema.ts';

export async function findRun(db: Kysely<Schema>, runId: string): Promise<RunRow | undefined> {
  const row = await db.selectFrom('runs').selectAll().where('run_id', '=', runId).executeTakeFirst();
  return row && toRunRow(row);
}

export async function listRuns(db: Kysely<Schema>, filter: RunFilter): Promise<readonly RunRow[]> {
  // An empty list has no form in SQL.
  if (filter.repositories?.length === 0) return [];
  let query = newestFirst(db).selectAll();
  if (filter.repository !== undefined) query = query.where('repository', '=', filter.repository);
  if (filter.repositories !== undefined) query = query.where('repository', 'in', filter.repositories);
  if (filter.commit !== undefined) query = query.where('commit_id', '=', filter.commit);
  if (filter.event !== undefined) query = query.where('event', '=', filter.event);
  if (filter.branch !== undefined) query = query.where('branch', '=', filter.branch);
  if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome);
  if (filter.phase !== undefined) query = query.where('phase', '=', filter.phase);
  if (filter.group !== undefined) query = query.where('group_name', '=', filter.group);
  if (filter.limit !== undefined) query = query.limit(filter.limit);
  if (filter.after !== undefined) {
    const last = await db
      .selectFrom('runs')
      .select(['run_id', 'created_at'])
      .where('run_id', '=', filter.after)
      .executeTakeFirst();
    if (!last) throw runIsUnknown(filter.after);
    query = query.where((eb) => eb(eb.refTuple('created_at', 'run_id'), '<', eb.tuple(last.created_at, last.run_id)));
  }
  return (await query.execute()).map(toRunRow);
}

/** Runs that have not ended, with the process that drives each. */
export async function unfinishedRuns(db: Kysely<Schema>): Promise<readonly Selectable<RunsTable>[]> {
  return newestFirst(db).selectAll().where('finished_at', 'is', null).execute();
}

export async function resolveRun(db: Kysely<Schema>, idOrPrefix: string): Promise<string> {
  if (idOrPrefix === 'latest') {
    const newest = await newestFirst(db).select('run_id').limit(1).executeTakeFirst();
    if (!newest) throw new SluiceError('ERR_NOT_FOUND', 'There is no run yet.', { hint: '`sluice run` starts one.' });
    return newest.run_id;
  }
  // An empty prefix is an empty variable in somebody's shell, not a wish for any run.
  if (idOrPrefix === '') throw runIsUnknown(idOrPrefix);
  const fitting = await db
    .selectFrom('runs')
    .select('run_id')
    .where('run_id', '>=', idOrPrefix)
    .where('run_id', '<', `${idOrPrefix}\u{10ffff}`)
    .orderBy('run_id')
    .limit(4)
    .execute();
  const ids = fitting.map((row) => row.run_id);
  const [first] = ids;
  if (first === undefined) throw runIsUnknown(idOrPrefix);
  if (first === idOrPrefix || ids.length === 1) return first;
  throw new SluiceError('ERR_USAGE', `"${idOrPrefix}" fits several runs: ${shorten(ids)}.`, {
    hint: 'Give more characters of the id.',
  });
}

export function runIsUnknown(runId: string): SluiceError {
  return new SluiceError('ERR_NOT_FOUND', `There is no run "${runId}".`, { hint: '`sluice runs` lists all runs.' });
}

export function toRunRow(row: Selectable<RunsTable>): RunRow {
  return {
    runId: row.run_id,
    repository: row.repository,
    pipeline: row.pipeline,
    branch: row.branch,
    commit: row.commit_id,
    event: row.event,
    phase: row.phase,
    ...(row.outcome !== null && { outcome: row.outcome }),
    ...(row.reason !== null && { reason: row.reason }),
    priority: row.priority,
    createdAt: row.created_at,
    ...(row.finished_at !== null && { finishedAt: row.finished_at }),
    version: row.version,
    group: row.group_name,
  };
}

function newestFirst(db: Kysely<Schema>) {
  return db.selectFrom('runs').orderBy('created_at', 'desc').orderBy('run_id', 'desc');
}

function shorten(ids: readonly string[]): string {
  return ids.length > 3 ? `${ids.slice(0, 3).join(', ')}, …` : ids.join(', ');
}
