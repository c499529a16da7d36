import type { Clock } from '../../model/clock.ts';
import { livenessOf } from '../sql/liveness.ts';
import { migrate } from '../sql/migrate.ts';
import { sqlStore } from '../sql/sql-store.ts';
import type { Intake } from '../intake.ts';
import type { ServerRecords } from '../server-records.ts';
import type { Outbox } from '../outbox.ts';
import type { Owner, Store } from '../store.ts';
import { openSqliteDatabase } from './sqlite-database.ts';
import type { Watch } from '../watch.ts';

interface SqliteStoreOptions {
  /** The database file; it and its folder are made when they are missing. */
  readonly file: string;
  readonly clock: Clock;
  /** Judges whether the process that drives a run still lives. */
  readonly isAlive: (owner: Owner) => boolean;
}

/** The store in one SQLite file. ERR_UNSUPPORTED when a newer Sluice wrote it, ERR_CORRUPT when it is no database. */
export async function openSqliteStore({
  file,
  clock,
  isAlive,
}: SqliteStoreOptions): Promise<Store & Intake & Watch & Outbox & ServerRecords> {
  const database = await openSqliteDatabase(file);
  try {
    await migrate(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  return sqlStore(database, clock, livenessOf(isAlive));
}
