import type { Connection } from '../database/connection.ts';
import { pause } from '../database/pause.ts';

/** What was read and written of a table since the server counts, in rows and scans. */
export interface TableCounters {
  readonly scans: number;
  readonly writes: number;
}

export type Counters = ReadonlyMap<string, TableCounters>;

interface Row extends TableCounters {
  readonly [column: string]: unknown;
  readonly name: string;
}

/** Counters of every table, `schema.table`, as the server has them now. */
export async function readCounters(connection: Connection): Promise<Counters> {
  const rows = await connection.query<Row>(
    `SELECT schemaname || '.' || relname AS name, (seq_scan + coalesce(idx_scan, 0))::int8 AS scans,
       (n_tup_ins + n_tup_upd + n_tup_del)::int8 AS writes
     FROM pg_stat_user_tables`,
  );
  return new Map(rows.map(({ name, scans, writes }) => [name, { scans, writes }]));
}

/** Tables that were read or written between two looks. One whose counters went back was made anew, and counts from nothing. */
export function touchedTables(before: Counters, after: Counters): ReadonlySet<string> {
  const touched = [...after].filter(([name, { scans, writes }]) => {
    const old = before.get(name) ?? { scans: 0, writes: 0 };
    const anew = scans < old.scans || writes < old.writes;
    return anew ? scans + writes > 0 : scans > old.scans || writes > old.writes;
  });
  return new Set(touched.map(([name]) => name));
}

const stepMs = 500;

/**
 * Those of some tables that nothing touched since `before`: no proof for them in tests that ran meanwhile. Sessions that go on report
 * their counts up to ten seconds late, so what is missing is waited for, `patienceMs` long (default twenty seconds).
 */
export async function untouchedTables(
  connection: Connection,
  {
    before,
    tables,
    signal,
    patienceMs = 20_000,
  }: {
    readonly before: Counters;
    readonly tables: readonly string[];
    readonly signal: AbortSignal;
    readonly patienceMs?: number;
  },
): Promise<readonly string[]> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const touched = touchedTables(before, await readCounters(connection));
    const missing = tables.filter((table) => !touched.has(table));
    if (missing.length === 0 || performance.now() >= end) return missing;
    await pause(stepMs, signal);
  }
}
