import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../database/connection.ts';
import { strengthOf } from './lock-modes.ts';
import type { LockMode } from './lock-modes.ts';
import { strongest } from './read-trace.ts';
import type { TraceStep } from './read-trace.ts';

const stepMs = 10;

/**
 * Looks from outside at all locks that others hold on the tables, until `work` is done: it sees what no event trigger does, changes of
 * rows and the phases of CONCURRENTLY, as long as they last for some milliseconds.
 */
export async function sampleLocks<Result>(
  url: string,
  tables: ReadonlyMap<number, string>,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly locks: ReadonlyMap<string, LockMode> }> {
  await using connection = await connect({ url, signal, applicationName: 'sluice-trace' });
  const seen = new Map<string, LockMode>();
  const done = new AbortController();
  const text = `SELECT l.relation::int8 AS "table", l.mode FROM pg_locks l
    WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
  const watch = async (): Promise<void> => {
    while (!done.signal.aborted) {
      const found = await connection.query<TraceStep['locks'][number] & Readonly<Record<string, unknown>>>(text);
      for (const [table, mode] of strongest(found, tables)) {
        if (strengthOf(mode) > strengthOf(seen.get(table))) seen.set(table, mode);
      }
      await sleep(stepMs, undefined, { signal: done.signal }).catch(() => undefined);
    }
  };
  const watching = watch();
  watching.catch(() => undefined);
  try {
    const result = await work();
    return { result, locks: seen };
  } finally {
    done.abort();
    await watching;
  }
}
