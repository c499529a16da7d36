import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { messageOf, SluiceError } from '../model/errors.ts';
import { libpqLike } from '../model/postgres-address.ts';

/** URLs of one database, by whose rights each gives. */
export interface DatabaseUrls {
  readonly admin: string;
  readonly migrator: string;
  readonly app: string;
}

/** The same server and account, another database. */
export function withDatabase(url: string, database: string): string {
  const address = new URL(url);
  address.pathname = `/${encodeURIComponent(database)}`;
  return address.href;
}

export interface RoleLimits {
  /** How long a statement of a migration may wait for a lock, ms. */
  readonly lockTimeoutMs: number;
  /** What is in the database was copied together with its owners, and is now `migrator`'s. */
  readonly takesOver?: boolean;
}

/**
 * Waits until the server of a database answers, and makes the database where it is missing: one outside begins without. ERR_SERVICE when it does not in two minutes, and at
 * once when it refuses.
 */
export function awaitDatabase({ admin }: DatabaseUrls, signal: AbortSignal): Promise<void> {
  return asAdmin(withDatabase(admin, 'postgres'), signal, async (client) => {
    const name = decodeURIComponent(new URL(admin).pathname.slice(1));
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)} TEMPLATE template0`);
  });
}

const connectMs = 120_000;
const pauseMs = 500;

/**
 * Makes the two roles of a database, or brings them to what they should be: `migrator` owns the schema, `app` reads and writes what is in it. Limits are
 * those of the role, so that they hold for any tool (delivery.md §4.2). Waits until the database answers.
 */
export function ensureRoles(urls: DatabaseUrls, limits: RoleLimits, signal: AbortSignal): Promise<void> {
  return asAdmin(urls.admin, signal, async (client) => {
    await client.query('BEGIN');
    // Two steps may do this at once.
    await client.query('SELECT pg_advisory_xact_lock(7283041)');
    for (const url of [urls.migrator, urls.app]) await ensureRole(client, new URL(url));
    await join(client, [urls.migrator, urls.app]);
    if (limits.takesOver === true) await takeOver(client, new URL(urls.migrator));
    const [database, migrator, app] = [
      new URL(urls.app).pathname.slice(1),
      new URL(urls.migrator).username,
      new URL(urls.app).username,
    ].map((name) => client.escapeIdentifier(decodeURIComponent(name)));
    const statements = [
      // `migrator` owns what is in it, and not the database: that would go along when a copy of it gets other owners.
      `ALTER DATABASE ${database} OWNER TO CURRENT_USER`,
      `ALTER SCHEMA public OWNER TO ${migrator}`,
      // A server may have databases of others too.
      `REVOKE ALL ON DATABASE ${database} FROM PUBLIC`,
      `GRANT CREATE, CONNECT, TEMPORARY ON DATABASE ${database} TO ${migrator}`,
      `GRANT CONNECT, TEMPORARY ON DATABASE ${database} TO ${app}`,
      `GRANT USAGE ON SCHEMA public TO ${app}`,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${app}`,
      `GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO ${app}`,
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${migrator} IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${app}`,
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${migrator} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO ${app}`,
      `ALTER ROLE ${migrator} SET lock_timeout = ${limits.lockTimeoutMs}`,
      `ALTER ROLE ${migrator} SET idle_in_transaction_session_timeout = 60000`,
    ];
    for (const statement of statements) await client.query(statement);
    await client.query('COMMIT');
  });
}

/** Who is no superuser gives things to a role, and ends its sessions, as its member only. */
async function join(client: pg.Client, urls: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ readonly rolsuper: boolean }>(
    'SELECT rolsuper FROM pg_roles WHERE rolname = current_user',
  );
  if (rows[0]?.rolsuper !== false) return;
  const roles = urls.map((url) => client.escapeIdentifier(decodeURIComponent(new URL(url).username)));
  await client.query(`GRANT ${roles.join(', ')} TO CURRENT_USER`);
}

/** Whatever has an owner in this database. Those that come with PostgreSQL belong to roles that are not listed. */
async function takeOver(client: pg.Client, { username }: URL): Promise<void> {
  const migrator = decodeURIComponent(username);
  const { rows } = await client.query<{ readonly owner: string }>(
    `SELECT DISTINCT rolname AS owner FROM pg_shdepend JOIN pg_roles ON pg_roles.oid = refobjid
     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND refclassid = 'pg_authid'::regclass AND deptype = 'o' AND rolname <> $1`,
    [migrator],
  );
  for (const { owner } of rows) {
    await client.query(`REASSIGN OWNED BY ${client.escapeIdentifier(owner)} TO ${client.escapeIdentifier(migrator)}`);
  }
}

async function ensureRole(client: pg.Client, { username, password }: URL): Promise<void> {
  const role = decodeURIComponent(username);
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
  const secret = client.escapeLiteral(decodeURIComponent(password));
  await client.query(`${verb} ROLE ${client.escapeIdentifier(role)} LOGIN PASSWORD ${secret}`);
}

async function asAdmin<Result>(
  url: string,
  signal: AbortSignal,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = await connect(url, signal);
  try {
    return await work(client);
  } catch (error) {
    throw failure(url, 'failed', error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A database that was made a moment ago takes a while to answer. */
async function connect(url: string, signal: AbortSignal): Promise<pg.Client> {
  const begun = performance.now();
  for (;;) {
    const client = new pg.Client({ connectionString: libpqLike(url), connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (isRefusal(error)) throw failure(url, 'refuses', error);
      if (performance.now() - begun > connectMs) throw failure(url, 'does not answer', error);
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

/** States of a server whose answer will be the same in a minute: an account or an address that it does not let in (28…), a database that it does not have. */
const refusals = /^28|^3D000$/;

/** Codes of Node for a certificate that is not believed, whatever is wrong with it. */
const distrust = /CERT|^UNABLE_TO_/;

function isRefusal(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return refusals.test(code) || distrust.test(code) || messageOf(error).includes('does not support SSL');
}

function failure(url: string, what: string, cause: unknown): SluiceError {
  const { host, username } = new URL(url);
  const isRight = cause instanceof Error && 'code' in cause && cause.code === '42501';
  const account = decodeURIComponent(username);
  return new SluiceError('ERR_SERVICE', `the database at ${host} ${what}: ${messageOf(cause)}`, {
    cause,
    hint: isRight
      ? `The account "${account}" needs more: ALTER ROLE "${account}" CREATEDB CREATEROLE.`
      : 'Look at the pod of the database; of one outside, at its address, account and `sslmode` in the Secret `sluice-database-BACKEND`.',
  });
}
