import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { SluiceError } from '../../model/errors.ts';
import type { ArtifactEntry, AttemptKey, TestCase } from '../../model/result.ts';
import type { Lease } from '../store.ts';
import { chunksOf, readList } from './json-lists.ts';
import { holdLease } from './leases.ts';
import { findRun, runIsUnknown } from './run-rows.ts';
import type { Schema } from './schema.ts';
import type { Shape } from './shape.ts';
import type { SqlDatabase } from './sql-database.ts';
import { insertResults } from './test-history.ts';

const caseShape: Shape<TestCase> = {
  suites: 'object',
  className: 'string',
  name: 'string',
  file: 'string',
  outcome: 'string',
  flaky: 'boolean',
  durationMs: 'number',
  message: 'string',
  details: 'string',
  systemOut: 'string',
  systemErr: 'string',
  attachments: 'object',
};

const artifactShape: Shape<ArtifactEntry> = {
  kind: 'string',
  path: 'string',
  sha256: 'string',
  bytes: 'number',
  mode: 'number',
};

/**
 * Test cases are stored in chunks of JSON, each in a transaction of its own, so that a million of them needs little
 * memory and blocks nobody. They become readable at once, by the number of chunks that the last transaction sets.
 */
export async function saveTests(
  database: SqlDatabase,
  lease: Lease,
  key: AttemptKey,
  cases: AsyncIterable<readonly TestCase[]>,
): Promise<void> {
  const saveId = randomUUID();
  const run = await database.write(async (db) => {
    await holdLease(db, lease);
    const found = await findRun(db, key.runId);
    if (!found) throw runIsUnknown(key.runId);
    await db
      .insertInto('test_saves')
      .values({ save_id: saveId, ...columnsOf(key), chunks: null })
      .execute();
    return found;
  });
  let chunks = 0;
  let first = 0;
  for await (const { text, items } of chunksOf(cases)) {
    await database.write(async (db) => {
      await insertChunk(db, lease, { key, saveId }, { position: chunks, text });
      await insertResults(db, run, key, { saveId, first }, items);
    });
    chunks++;
    first += items.length;
  }
  await database.write((db) => publish(db, lease, { key, saveId }, chunks));
}

interface TestSave {
  readonly key: AttemptKey;
  readonly saveId: string;
}

async function insertChunk(
  db: Kysely<Schema>,
  lease: Lease,
  { key, saveId }: TestSave,
  { position, text }: { readonly position: number; readonly text: string },
): Promise<void> {
  await holdLease(db, lease);
  const save = await db.selectFrom('test_saves').select('save_id').where('save_id', '=', saveId).executeTakeFirst();
  if (!save) throw replaced(key);
  await db.insertInto('test_chunks').values({ save_id: saveId, position, cases: text }).execute();
}

/** Whoever publishes first wins; other saves of the attempt, finished or not, are gone with their chunks. */
async function publish(db: Kysely<Schema>, lease: Lease, { key, saveId }: TestSave, chunks: number): Promise<void> {
  await holdLease(db, lease);
  const { numUpdatedRows } = await db
    .updateTable('test_saves')
    .set({ chunks })
    .where('save_id', '=', saveId)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw replaced(key);
  await db
    .deleteFrom('test_saves')
    .where('run_id', '=', key.runId)
    .where('step', '=', key.step)
    .where('attempt', '=', key.attempt)
    .where('save_id', '<>', saveId)
    .execute();
}

export async function* readTests(database: SqlDatabase, key: AttemptKey): AsyncGenerator<TestCase> {
  const save = await database.read((db) =>
    db
      .selectFrom('test_saves')
      .select(['save_id', 'chunks'])
      .where('run_id', '=', key.runId)
      .where('step', '=', key.step)
      .where('attempt', '=', key.attempt)
      .where('chunks', 'is not', null)
      .executeTakeFirst(),
  );
  if (!save) return;
  for (let position = 0; position < (save.chunks ?? 0); position++) {
    const chunk = await database.read((db) =>
      db
        .selectFrom('test_chunks')
        .select('cases')
        .where('save_id', '=', save.save_id)
        .where('position', '=', position)
        .executeTakeFirst(),
    );
    if (!chunk) throw replaced(key);
    yield* readList(chunk.cases, caseShape, `The test cases of ${nameOf(key)}`);
  }
}

/** Removes what saves that never ended have left of a run. */
export async function dropUnfinishedSaves(db: Kysely<Schema>, runId: string): Promise<void> {
  await db.deleteFrom('test_saves').where('run_id', '=', runId).where('chunks', 'is', null).execute();
}

export async function saveArtifacts(
  db: Kysely<Schema>,
  lease: Lease,
  key: AttemptKey,
  list: readonly ArtifactEntry[],
): Promise<void> {
  await holdLease(db, lease);
  const entries = JSON.stringify(list);
  await db
    .insertInto('attempt_artifacts')
    .values({ ...columnsOf(key), entries })
    .onConflict((conflict) => conflict.columns(['run_id', 'step', 'attempt']).doUpdateSet({ entries }))
    .execute();
}

export async function readArtifacts(db: Kysely<Schema>, key: AttemptKey): Promise<readonly ArtifactEntry[]> {
  const row = await db
    .selectFrom('attempt_artifacts')
    .select('entries')
    .where('run_id', '=', key.runId)
    .where('step', '=', key.step)
    .where('attempt', '=', key.attempt)
    .executeTakeFirst();
  return row ? readList(row.entries, artifactShape, `The list of artefacts of ${nameOf(key)}`) : [];
}

function columnsOf({ runId, step, attempt }: AttemptKey) {
  return { run_id: runId, step, attempt };
}

function nameOf({ runId, step, attempt }: AttemptKey): string {
  return `attempt ${attempt} of ${step} in run ${runId}`;
}

function replaced(key: AttemptKey): SluiceError {
  return new SluiceError('ERR_CONFLICT', `The test cases of ${nameOf(key)} were replaced by another process.`);
}
