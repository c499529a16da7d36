import { sql } from 'kysely';
import type { Clock } from '../../model/clock.ts';
import { SluiceError } from '../../model/errors.ts';
import { keepInstallationId } from '../sql/installation.ts';
import { migrate } from '../sql/migrate.ts';
import { sqlStore } from '../sql/sql-store.ts';
import type { Intake } from '../intake.ts';
import type { Outbox } from '../outbox.ts';
import type { ServerRecords } from '../server-records.ts';
import type { Store } from '../store.ts';
import type { Watch } from '../watch.ts';
import { Heartbeats } from './heartbeats.ts';
import { openPostgresDatabase } from './postgres-database.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { limitsFor, migrationLimits } from './postgres-limits.ts';
import { clientConfig, placeOf } from './postgres-pool.ts';
import type { PostgresAddress } from './postgres-pool.ts';

export interface PostgresStoreOptions extends PostgresAddress {
  readonly clock: Clock;
  /** Of Sluice itself, for people who look at the table of runners. */
  readonly version: string;
  /** How long a runner that is not heard of counts as alive, ms. */
  readonly ttlMs?: number;
}

const defaultTtlMs = 30_000;
/** `pg_xact_status` and its kin have their names since then. */
const oldestVersion = 13;
const migrationLock = 7_364_512_019;

/** The store, and what it alone can tell all runners. */
export type PostgresStore = Store &
  Intake &
  Watch &
  Outbox &
  ServerRecords & {
    /** The id by which all runners on this database know what is theirs in a cluster: what the first of them proposed. */
    installationId(proposed: string): Promise<string>;
  };

/**
 * The store in a PostgreSQL database, for any number of runners on any number of machines. ERR_UNREADABLE when it cannot be
 * reached or refuses the user, ERR_UNSUPPORTED when it is too old, not in UTF-8, or was used by a newer Sluice.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const { clock, version, ttlMs = defaultTtlMs } = options;
  const place = placeOf(options);
  await prepare(place, options);
  const limits = limitsFor(ttlMs);
  const database = openPostgresDatabase(place, await clientConfig(options, limits), limits);
  const heartbeats = new Heartbeats(database, limits, version);
  const store = sqlStore(database, clock, heartbeats);
  let closing: Promise<void> | undefined;
  return {
    ...store,
    installationId: (proposed) => database.write((db) => keepInstallationId(db, proposed)),
    close: () => (closing ??= heartbeats.close().finally(() => store.close())),
  };
}

/** Checks the server and brings the schema up to date, one process after the other. */
async function prepare(place: string, address: PostgresAddress): Promise<void> {
  const database = openPostgresDatabase(place, await clientConfig(address, migrationLimits), migrationLimits);
  try {
    await checkServer(place, database);
    await migrate({
      ...database,
      write: (work) =>
        database.write(async (db) => {
          await sql`select pg_advisory_xact_lock(${migrationLock}::bigint)`.execute(db);
          return work(db);
        }),
    });
  } finally {
    await database.close();
  }
}

async function checkServer(place: string, { read }: PostgresDatabase): Promise<void> {
  const { rows } = await read((db) =>
    sql<{ version: number; encoding: string }>`
      select current_setting('server_version_num')::int / 10000 as version, getdatabaseencoding() as encoding`.execute(
      db,
    ),
  );
  const { version = 0, encoding = '' } = rows[0] ?? {};
  if (version < oldestVersion) {
    throw new SluiceError('ERR_UNSUPPORTED', `The database ${place} is on PostgreSQL ${version}.`, {
      hint: `Use ${oldestVersion} or newer; 15 is what Sluice is tested with.`,
    });
  }
  if (encoding === 'UTF8') return;
  throw new SluiceError('ERR_UNSUPPORTED', `The database ${place} stores text in ${encoding}.`, {
    hint: 'Make one with createdb --encoding=UTF8 --template=template0.',
  });
}
