import { SluiceError } from '../../model/errors.ts';
import type { Connection, Row } from './connection.ts';
import { pause } from './pause.ts';

/** A session as pg_stat_activity shows it. */
export interface Session extends Row {
  readonly pid: number;
  readonly role: string;
  readonly application: string;
  readonly client: string;
  readonly state: string;
  /** Age of its transaction, or else of its state, in ms. */
  readonly ageMs: number;
  /** The beginning of its present or last statement. */
  readonly statement: string;
}

/** Columns of a `Session`, of pg_stat_activity by the given alias. */
export const sessionColumns = (alias: string): string =>
  `${alias}.pid, coalesce(${alias}.usename, '') AS role, ${alias}.application_name AS application,
   coalesce(host(${alias}.client_addr), 'local') AS client, coalesce(${alias}.state, '') AS state,
   (extract(epoch FROM clock_timestamp() - coalesce(${alias}.xact_start, ${alias}.state_change)) * 1000)::float8 AS "ageMs",
   left(${alias}.query, 200) AS statement`;

/** For a sentence: "pid 42 (role app, psql, idle in transaction for 12 s): UPDATE …". */
export function describeSession({ pid, role, application, state, ageMs, statement }: Session): string {
  const who = [role, application, `${state} for ${Math.round(ageMs / 1_000)} s`].filter((word) => word !== '');
  return `pid ${pid} (${who.join(', ')}): ${statement.replace(/\s+/g, ' ').trim()}`;
}

/** The last leaves out what Sluice itself does with the account: its sessions are called `sluice` or `sluice-…`. */
export const sessionConditions = {
  ofRole: 'a.usename = $1',
  byName: 'a.application_name = $1 AND a.usename = current_user',
  ofAccount: "a.usename = $1 AND a.datname = current_database() AND a.application_name !~ '^sluice(-|$)'",
} as const;

/** Which sessions are meant: a condition on pg_stat_activity `a`, with `$1`. */
export interface SessionsBy {
  readonly condition: (typeof sessionConditions)[keyof typeof sessionConditions];
  readonly value: string;
}

const stepMs = 50;

/** Ends sessions and waits until they are gone. How many there were; ERR_SERVICE when one stays longer than `limitMs`. */
export async function endSessions(
  connection: Connection,
  { condition, value }: SessionsBy,
  signal: AbortSignal,
  limitMs = 15_000,
): Promise<number> {
  const ended = new Set<number>();
  const text = `SELECT ${sessionColumns('a')}, pg_terminate_backend(a.pid) FROM pg_stat_activity a
    WHERE ${condition} AND a.pid <> pg_backend_pid()`;
  const start = performance.now();
  for (;;) {
    const left = await connection.query<Session>(text, [value]);
    for (const { pid } of left) ended.add(pid);
    const [first] = left;
    if (first === undefined) return ended.size;
    if (performance.now() - start > limitMs) {
      throw new SluiceError('ERR_SERVICE', `A session of the migration does not end: ${describeSession(first)}.`, {
        hint: 'See the log of the server; pg_stat_activity shows what it waits for.',
      });
    }
    await pause(stepMs, signal);
  }
}
