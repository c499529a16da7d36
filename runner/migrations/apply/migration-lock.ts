import { SluiceError } from '../../model/errors.ts';
import type { Connection } from '../database/connection.ts';
import { describeSession, sessionColumns } from '../database/sessions.ts';
import type { Session } from '../database/sessions.ts';
import { pause } from '../database/pause.ts';

/** The pair of numbers of the advisory lock; it holds for one database. */
const key = '1399616867, 1';
const stepMs = 200;

const holder = `SELECT ${sessionColumns('a')} FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
    AND (l.classid, l.objid) = (${key}) AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/**
 * Takes the lock of migrations for as long as the session lasts: it goes with the process that has it, however that ends.
 * ERR_CONFLICT, with who has it, when it does not come free in `waitMs`.
 */
export async function takeMigrationLock(connection: Connection, waitMs: number, signal: AbortSignal): Promise<void> {
  const start = performance.now();
  for (;;) {
    const [row] = await connection.query(`SELECT pg_try_advisory_lock(${key}) AS taken`);
    if (row?.['taken'] === true) return;
    if (performance.now() - start >= waitMs) throw conflict(await connection.query<Session>(holder), waitMs);
    await pause(Math.min(stepMs, waitMs), signal);
  }
}

function conflict([session]: readonly Session[], waitMs: number): SluiceError {
  const who = session === undefined ? 'somebody' : describeSession(session);
  return new SluiceError(
    'ERR_CONFLICT',
    `Another migration of this database is under way, and did not end in ${waitMs} ms: ${who}.`,
    {
      hint: 'Wait for it, or end its session with pg_terminate_backend.',
    },
  );
}
