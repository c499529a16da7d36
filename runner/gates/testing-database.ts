import { databaseOf, parseUrl, quoteName, withConnection, withDatabase } from '../migrations/database/connection.ts';
import type { Connection } from '../migrations/database/connection.ts';
import type { DatabaseUrls } from '../environments/database-roles.ts';
import { SluiceError } from '../model/errors.ts';

/** Of the copies of a testing database as each release left it after its migration: `app_release_r7`. A server may have those of several backends. */
function prefixOf(database: string): string {
  return `${database}_release_`;
}

/** The copy that was kept of a testing database as a release left it; nobody can connect to it. */
export function keptDatabase(database: string, release: string): string {
  return `${prefixOf(database)}${release}`;
}

/**
 * Makes the testing database, or that of a preview, anew, as the release that is live left it; empty where none is. So a migration that was refused, or whose run failed
 * later, leaves nothing behind, and each commit is judged against what production has. Ends every session of it. `origin` is the database whose copies are
 * meant, where it is another one of the same server. ERR_CONFLICT for one of that name which Sluice did not make.
 */
export async function freshDatabase(
  urls: DatabaseUrls,
  live: string | undefined,
  signal: AbortSignal,
  origin = databaseOf(urls.admin),
): Promise<'copied' | 'empty'> {
  const name = databaseOf(urls.admin);
  return onServer(urls, signal, async (connection) => {
    const copy = keptDatabase(origin, live ?? '');
    const template = (await copies(connection, prefixOf(origin))).find((found) => found === copy);
    // Copies that are to be given other owners are made where all databases are ours.
    if (origin === name) await refuseForeign(connection, urls, signal);
    await drop(connection, name);
    await connection.query(`CREATE DATABASE ${quoteName(name)} TEMPLATE ${quoteName(template ?? 'template0')}`);
    return template === undefined ? 'empty' : 'copied';
  });
}

/** Keeps the testing database as a release left it, and forgets the copies of all releases but those named and this one. */
export async function keepDatabase(
  urls: DatabaseUrls,
  release: string,
  others: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const name = databaseOf(urls.admin);
  const prefix = prefixOf(name);
  const copy = keptDatabase(name, release);
  await onServer(urls, signal, async (connection) => {
    const kept = new Set([release, ...others].map((other) => `${prefix}${other}`));
    for (const found of await copies(connection, prefix))
      if (!kept.has(found) || found === copy) await drop(connection, found);
    // Nobody may use a database while it is copied; whoever does connects again.
    await connection.query(`ALTER DATABASE ${quoteName(name)} ALLOW_CONNECTIONS false`);
    try {
      await connection.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
      await connection.query(`CREATE DATABASE ${quoteName(copy)} TEMPLATE ${quoteName(name)} ALLOW_CONNECTIONS false`);
    } finally {
      await connection.query(`ALTER DATABASE ${quoteName(name)} ALLOW_CONNECTIONS true`);
    }
  });
}

/**
 * A server outside may have a database of that name for something else, which must not be dropped. What `migrator` owns something in is ours, and so is one with nothing in
 * it: a process may have died after it was made.
 */
async function refuseForeign(
  connection: Connection,
  { admin, migrator }: DatabaseUrls,
  signal: AbortSignal,
): Promise<void> {
  const name = databaseOf(admin);
  const found = await connection.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  if (found.length === 0) return;
  const { host, username } = parseUrl(migrator);
  const [looked] = await withConnection({ url: admin, signal }, (inside) =>
    inside.query<{ readonly foreign: boolean }>(whetherForeign, [decodeURIComponent(username)]),
  );
  if (looked?.foreign !== true) return;
  throw new SluiceError('ERR_CONFLICT', `the database "${name}" at ${host} has tables that Sluice did not make there`, {
    hint: 'It would be dropped and made anew by each run. Rename or drop it, or give the backend another name.',
  });
}

const whetherForeign = `SELECT
  EXISTS (SELECT FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
          WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_class JOIN pg_roles r ON r.oid = relowner WHERE rolname = $1)
  AND NOT EXISTS (SELECT FROM pg_namespace JOIN pg_roles r ON r.oid = nspowner WHERE rolname = $1) AS foreign`;

function onServer<Result>(
  { admin }: DatabaseUrls,
  signal: AbortSignal,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  return withConnection({ url: withDatabase(admin, 'postgres'), signal }, work);
}

async function copies(connection: Connection, prefix: string): Promise<readonly string[]> {
  const rows = await connection.query<{ readonly name: string }>(
    'SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)',
    [prefix],
  );
  return rows.map(({ name }) => name);
}

async function drop(connection: Connection, name: string): Promise<void> {
  await connection.query(`DROP DATABASE IF EXISTS ${quoteName(name)} WITH (FORCE)`);
}
