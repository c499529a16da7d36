import { readFile } from 'node:fs/promises';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import type { ClientConfig, PoolClient } from 'pg';
import { SluiceError, messageOf } from '../../model/errors.ts';
import { isSpoilt } from './postgres-error.ts';
import type { PostgresLimits } from './postgres-limits.ts';

/** Where the database is. */
export interface PostgresAddress {
  /** postgres://user:password@host:port/database?sslmode=… */
  readonly url: string;
  /** File with the password, in place of one in the URL. */
  readonly passwordFile?: string;
}

const mostConnections = 10;

/** What a client needs to connect. The password is read here, so that it stands in no list of processes. */
export async function clientConfig(
  { url, passwordFile }: PostgresAddress,
  limits: PostgresLimits,
): Promise<ClientConfig> {
  const address = parse(url);
  if (passwordFile !== undefined) address.searchParams.set('password', await readPassword(passwordFile));
  return {
    connectionString: address.href,
    application_name: 'sluice',
    keepAlive: true,
    keepAliveInitialDelayMillis: limits.statementMs,
    connectionTimeoutMillis: limits.connectMs,
    // The server gives up first; a client that hears nothing at all gives up by itself.
    statement_timeout: limits.statementMs,
    query_timeout: limits.statementMs * 1.2,
    lock_timeout: limits.lockMs,
    idle_in_transaction_session_timeout: limits.statementMs,
    types: { getTypeParser },
  };
}

/** Host, port and database, without user and password. */
export function placeOf({ url }: PostgresAddress): string {
  const { host, pathname, searchParams } = parse(url);
  return `${host === '' ? (searchParams.get('host') ?? '') : host}${pathname}`;
}

/** Connections that are not used again once they failed in a way that leaves open what the server did. */
export function openPool(config: ClientConfig): PostgresPool {
  const pool = new pg.Pool({ ...config, max: mostConnections });
  // A connection that breaks while nobody uses it is replaced; one in use tells its user.
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  return {
    options: {},
    connect: async () => guarded(await pool.connect()),
    end: () => pool.end(),
  };
}

function guarded(client: PoolClient): PostgresPoolClient {
  let spoilt: Error | undefined;
  const query = async (text: string, values: readonly unknown[]): Promise<unknown> => {
    // A query that was given up is still under way there, so that nothing may follow it.
    if (spoilt !== undefined) throw spoilt;
    try {
      return await client.query(text, [...values]);
    } catch (error) {
      if (error instanceof Error && isSpoilt(error)) spoilt = error;
      throw error;
    }
  };
  return {
    query: query as PostgresPoolClient['query'],
    release: (destroy) => client.release(destroy === true || spoilt !== undefined),
  };
}

/** Times and counts are far below 2^53; the driver would give them out as text. */
const getTypeParser: typeof pg.types.getTypeParser = (oid: Parameters<typeof pg.types.getTypeParser>[0]) =>
  oid === pg.types.builtins.INT8 ? Number : (pg.types.getTypeParser(oid) as unknown);

function parse(url: string): URL {
  if (URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol)) return new URL(url);
  throw new SluiceError('ERR_USAGE', 'SLUICE_DATABASE_URL is no address of a PostgreSQL database.', {
    hint: 'Give postgres://USER:PASSWORD@HOST:PORT/DATABASE; special characters of a password are written %XX.',
  });
}

async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    throw new SluiceError('ERR_UNREADABLE', `The file with the password cannot be read: ${messageOf(cause)}.`, {
      hint: 'Check SLUICE_DATABASE_PASSWORD_FILE.',
      cause,
    });
  }
}

const ignore = (): void => undefined;
