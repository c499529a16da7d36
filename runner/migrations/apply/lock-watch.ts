import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../model/errors.ts';
import { connect } from '../database/connection.ts';
import type { Connection, ConnectOptions } from '../database/connection.ts';
import { sessionColumns } from '../database/sessions.ts';
import type { Session, SessionsBy } from '../database/sessions.ts';

const stepMs = 100;

/** Who stood in the way of the command's sessions when they waited for a lock. */
export interface LockWatch {
  /** Those that were last in the way, and how long the longest wait was, in ms. */
  seen(): { readonly blockers: readonly Session[]; readonly waitedMs: number };
  /** Ends the watch. Rejects when it failed before. */
  close(): Promise<void>;
}

/** Looks at the sessions until it is closed. */
export async function watchLocks(options: ConnectOptions, sessions: SessionsBy): Promise<LockWatch> {
  const end = new AbortController();
  const signal = AbortSignal.any([options.signal, end.signal]);
  const connection = await connect({ ...options, signal: options.signal });
  let blockers: readonly Session[] = [];
  let waitedMs = 0;
  const watch = async (): Promise<void> => {
    while (!signal.aborted) {
      const found = await lookAt(connection, sessions);
      if (found.length > 0) blockers = found;
      for (const { waited } of found) waitedMs = Math.max(waitedMs, waited);
      await sleep(stepMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const watching = watch().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  watching.catch(() => undefined);
  return {
    seen: () => ({ blockers, waitedMs }),
    close: async () => {
      end.abort(new SluiceError('ERR_ABORTED', 'The watch is over.'));
      await watching.finally(() => connection.close());
    },
  };
}

type Blocker = Session & { readonly waited: number };

function lookAt(connection: Connection, { condition, value }: SessionsBy): Promise<readonly Blocker[]> {
  const text = `SELECT DISTINCT ON (b.pid) ${sessionColumns('b')},
      (extract(epoch FROM clock_timestamp() - a.query_start) * 1000)::float8 AS waited
    FROM pg_stat_activity a, unnest(pg_blocking_pids(a.pid)) AS blocker(pid) JOIN pg_stat_activity b ON b.pid = blocker.pid
    WHERE ${condition} AND a.wait_event_type = 'Lock' ORDER BY b.pid`;
  return connection.query<Blocker>(text, [value]);
}
