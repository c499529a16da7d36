import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ClusterHistory, StoredRow } from './check-cluster.ts';

type Stored = Pick<ClusterHistory, 'events' | 'integrity' | 'logs' | 'artifacts'>;

/** What a data folder holds of a run: rows, bytes and digests, read without any code of Sluice. */
export function readHome(home: string, runId: string): Stored {
  return onDatabase(home, (database) => {
    const rows = database.prepare('select * from events where run_id = ? order by version').all(runId);
    const entries = database.prepare('select entries from attempt_artifacts where run_id = ?').all(runId);
    return {
      events: rows.map((row) => ({
        ...(JSON.parse(String(row['body'])) as StoredRow),
        version: Number(row['version']),
      })),
      integrity: String(database.prepare('pragma integrity_check').get()?.['integrity_check']),
      logs: logsOf(home, runId),
      artifacts: entries.flatMap((row) => artifactsOf(home, String(row['entries']))),
    };
  });
}

/** Undefined until a run is on record. */
export function runOf(home: string): string | undefined {
  if (!existsSync(join(home, 'sluice.db'))) return undefined;
  try {
    return onDatabase(home, (database) => {
      const row = database.prepare('select run_id from runs order by created_at desc limit 1').get();
      return row && String(row['run_id']);
    });
  } catch {
    // Killed before there were tables.
    return undefined;
  }
}

/** Rows of a table, for whoever waits for the first. */
export function countRows(home: string, table: 'test_chunks' | 'attempt_artifacts'): number {
  if (runOf(home) === undefined) return 0;
  return onDatabase(home, (database) => Number(database.prepare(`select count(*) as n from ${table}`).get()?.['n']));
}

export function logFile(home: string, runId: string, step: string, attempt: number): string {
  return join(home, 'logs', runId, `${step}.${attempt}.log`);
}

export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function onDatabase<Value>(home: string, act: (database: DatabaseSync) => Value): Value {
  const database = new DatabaseSync(join(home, 'sluice.db'), { readOnly: true });
  try {
    return act(database);
  } finally {
    database.close();
  }
}

function logsOf(home: string, runId: string): Stored['logs'] {
  const folder = join(home, 'logs', runId);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.flatMap((name) => {
    const [, step = '', attempt] = /^([\w-]+)\.(\d+)\.log$/.exec(name) ?? [];
    return attempt === undefined ? [] : [{ step, attempt: Number(attempt), bytes: readFileSync(join(folder, name)) }];
  });
}

interface Entry {
  readonly path: string;
  readonly sha256: string;
}

function artifactsOf(home: string, entries: string): Stored['artifacts'] {
  return (JSON.parse(entries) as readonly Entry[]).map(({ path, sha256 }) => {
    const file = join(home, 'blobs', sha256.slice(0, 2), sha256);
    const stored = existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : 'missing';
    return { path, sha256, stored };
  });
}
