import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import type { ClientConfig } from 'pg';
import type { Schema } from '../sql/schema.ts';
import type { SqlDatabase } from '../sql/sql-database.ts';
import { cCollation } from './c-collation.ts';
import { ChangeFeed } from './change-feed.ts';
import { isSpoilt, passes, toStoreError } from './postgres-error.ts';
import type { PostgresLimits } from './postgres-limits.ts';
import { openPool } from './postgres-pool.ts';

const longestPauseMs = 1_000;
/** SQLSTATE of a question for a transaction of the future. */
const invalidParameter = '22023';

export interface PostgresDatabase extends SqlDatabase {
  /** One try, without patience. */
  readonly once: SqlDatabase['read'];
}

/** Connects when it is first used. `place` names the database in errors. */
export function openPostgresDatabase(place: string, config: ClientConfig, limits: PostgresLimits): PostgresDatabase {
  const db = new Kysely<Schema>({
    dialect: new PostgresDialect({ pool: openPool(config) }),
    plugins: [cCollation()],
  });
  const feed = new ChangeFeed(config, db, limits);
  const patience = new Patience(place, limits.patienceMs);
  return {
    once: (work) => work(db),
    read: (work) => patience.lend(() => work(db)),
    write: async (work) => {
      const value = await patience.lend((deadline) => transact(db, work, deadline));
      feed.ring();
      return value;
    },
    changes: () => feed.changes(),
    close: async () => {
      await feed.close();
      await db.destroy();
    },
  };
}

/** Asks again, for a while, a database that is away or busy. */
class Patience {
  readonly #place: string;
  readonly #ms: number;
  #served = false;

  constructor(place: string, ms: number) {
    this.#place = place;
    this.#ms = ms;
  }

  async lend<Value>(work: (deadline: number) => Promise<Value>): Promise<Value> {
    const deadline = performance.now() + this.#ms;
    for (let pauseMs = 20; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        const value = await work(deadline);
        this.#served = true;
        return value;
      } catch (error) {
        if (!passes(error, this.#served) || performance.now() > deadline) throw toStoreError(this.#place, error);
        await sleep(pauseMs * (0.5 + Math.random()));
      }
    }
  }
}

type Work<Value> = (db: Kysely<Schema>) => Promise<Value>;

/**
 * A connection that breaks during COMMIT leaves open whether the transaction happened. The server knows it by the number of
 * the transaction: only one that certainly did not happen is done again.
 */
async function transact<Value>(db: Kysely<Schema>, work: Work<Value>, deadline: number): Promise<Value> {
  let done: { readonly value: Value; readonly id: string | null } | undefined;
  try {
    return await db
      .transaction()
      .setIsolationLevel('read committed')
      .execute(async (transaction) => {
        const value = await work(transaction);
        done = { value, id: await transactionId(transaction) };
        return value;
      });
  } catch (error) {
    if (done === undefined || done.id === null || !isSpoilt(error)) throw error;
    if (!(await happened(db, done.id, deadline))) throw error;
    return done.value;
  }
}

/** Null for one that has written nothing. */
async function transactionId(db: Kysely<Schema>): Promise<string | null> {
  const { rows } = await sql<{ id: string | null }>`select pg_current_xact_id_if_assigned()::text as id`.execute(db);
  return rows[0]?.id ?? null;
}

async function happened(db: Kysely<Schema>, id: string, deadline: number): Promise<boolean> {
  for (;;) {
    const status = await statusOf(db, id).catch((error: unknown) => {
      if (!passes(error, true) || performance.now() > deadline) throw error;
      return 'in progress';
    });
    // The server ends a transaction that nobody speaks to.
    if (status !== 'in progress') return status === 'committed';
    await sleep(50 + 100 * Math.random());
  }
}

/** One that the server has never heard of went down with the server that this one has replaced. */
async function statusOf(db: Kysely<Schema>, id: string): Promise<string | null> {
  try {
    const { rows } = await sql<{ status: string | null }>`select pg_xact_status(${id}::xid8) as status`.execute(db);
    return rows[0]?.status ?? null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === invalidParameter) return 'aborted';
    throw error;
  }
}
