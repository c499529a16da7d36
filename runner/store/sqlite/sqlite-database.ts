import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CompiledQuery,
  Kysely,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely';
import type { DatabaseConnection, Dialect } from 'kysely';
import { makeFolder } from '../make-folder.ts';
import type { Schema } from '../sql/schema.ts';
import type { SqlDatabase } from '../sql/sql-database.ts';
import { kyselyDatabase } from './node-sqlite.ts';
import { isBusy, toStoreError } from './sqlite-error.ts';

/**
 * FULL: a commit is on disk before it returns; fullfsync makes that true on macOS too. SQLite's own wait for a lock
 * blocks this process, so that it is short, and the rest of the waiting is ours.
 */
const pragmas = `
  PRAGMA busy_timeout = 20;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
  PRAGMA foreign_keys = ON;
`;
const longestWaitMs = 30_000;

/** Opens the database file, which any number of processes may use at once, and makes it when it is missing. */
export async function openSqliteDatabase(file: string): Promise<SqlDatabase> {
  await makeFolder(dirname(file));
  const database = await patiently(file, () => connect(file));
  const db = new Kysely<Schema>({ dialect: dialect(database) });
  return {
    read: (work) => patiently(file, () => work(db)),
    write: (work) => patiently(file, () => db.transaction().execute(work)),
    changes: () => patiently(file, () => countChanges(db)),
    close: () => db.destroy(),
  };
}

function connect(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec(pragmas);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Tries again while another process holds the lock that this one needs. */
async function patiently<Value>(file: string, work: () => Value | Promise<Value>): Promise<Value> {
  const deadline = performance.now() + longestWaitMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw toStoreError(file, error);
      await sleep(1 + Math.random() * 20);
    }
  }
}

/** `data_version` grows with commits of other connections, `total_changes` with rows that this one has changed. */
async function countChanges(db: Kysely<Schema>): Promise<number> {
  const query = sql<{ count: number }>`select data_version + total_changes() as count from pragma_data_version`;
  const { rows } = await query.execute(db);
  return rows[0]?.count ?? 0;
}

function dialect(database: DatabaseSync): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new ImmediateDriver(database),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class ImmediateDriver extends SqliteDriver {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    super({ database: kyselyDatabase(database) });
    this.#database = database;
  }

  /** The lock is taken first: a transaction that reads, then writes, could otherwise find that it came too late. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  /** After some errors, such as a full disk, SQLite has rolled back by itself. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection);
  }
}
