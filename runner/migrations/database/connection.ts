import pg from 'pg';
import { SluiceError, messageOf } from '../../model/errors.ts';
import { libpqLike } from '../../model/postgres-address.ts';

export interface ConnectOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string;
  readonly signal: AbortSignal;
  /** How long one statement may take, in ms; the server ends it. Default ten minutes. */
  readonly statementMs?: number;
  /** How long connecting may take, in ms. Default ten seconds. */
  readonly connectMs?: number;
  /** Name of the session in pg_stat_activity. */
  readonly applicationName?: string;
}

export type Row = Readonly<Record<string, unknown>>;

/** One session. Statements after an abort fail with ERR_ABORTED; what runs then is ended by the server. */
export interface Connection extends AsyncDisposable {
  query<Result extends Row = Row>(statement: string, values?: readonly unknown[]): Promise<readonly Result[]>;
  /** Rejects when the session ends without being closed. Never resolves. */
  readonly lost: Promise<never>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

const defaults = { statementMs: 600_000, connectMs: 10_000, applicationName: 'sluice' };

/** ERR_USAGE for what is no URL of PostgreSQL, ERR_SERVICE when the server cannot be reached or refuses. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { signal, statementMs, connectMs, applicationName } = { ...defaults, ...options };
  const place = placeOf(options.url);
  if (signal.aborted) throw aborted(signal.reason);
  const client = new pg.Client({
    connectionString: libpqLike(options.url),
    application_name: applicationName,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    statement_timeout: statementMs,
    query_timeout: statementMs * 1.2 + connectMs,
    types: { getTypeParser },
  });
  const session = new Session(client, place, signal);
  try {
    await client.connect();
    // Since PostgreSQL 14 a statement ends soon after its client is gone.
    const notice =
      "SELECT set_config(name, '500', false) FROM pg_settings WHERE name = 'client_connection_check_interval'";
    await session.query(notice);
    return session;
  } catch (error) {
    await session.close();
    throw error instanceof SluiceError ? error : session.failure(error);
  }
}

/** Connects, and closes whatever happens. */
export async function withConnection<Result>(
  options: ConnectOptions,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  await using connection = await connect(options);
  return await use(connection);
}

function aborted(cause: unknown): SluiceError {
  return new SluiceError('ERR_ABORTED', 'The work on the database was cancelled.', { cause });
}

class Session implements Connection {
  readonly lost: Promise<never>;
  readonly #client: pg.Client;
  readonly #place: string;
  readonly #signal: AbortSignal;
  #closing: Promise<void> | undefined;

  constructor(client: pg.Client, place: string, signal: AbortSignal) {
    this.#client = client;
    this.#place = place;
    this.#signal = signal;
    this.lost = new Promise((_resolve, reject) => {
      client.on('error', (error) => reject(this.failure(error)));
      client.on('end', () => reject(this.failure(new Error('the session ended'))));
    });
    this.lost.catch(() => undefined);
    signal.addEventListener('abort', this.#abort, { once: true });
  }

  async query<Result extends Row = Row>(
    statement: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Result[]> {
    try {
      if (this.#signal.aborted) throw aborted(this.#signal.reason);
      // Without values it may be several statements.
      const result = await this.#client.query<Result>(statement, values.length === 0 ? undefined : [...values]);
      return Array.isArray(result) ? [] : result.rows;
    } catch (error) {
      throw this.failure(error);
    }
  }

  close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#abort);
    this.#closing ??= this.#client.end().catch(() => undefined);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  failure(error: unknown): SluiceError {
    if (this.#signal.aborted) return aborted(error);
    return new SluiceError('ERR_SERVICE', `The database ${this.#place} failed: ${messageOf(error)}.`, {
      hint: 'Check its address, and the log of the server.',
      cause: error,
    });
  }

  readonly #abort = (): void => {
    void this.close();
  };
}

/** SQLSTATE of an error of the server, also when it is the cause of one of ours. */
export function stateOf(error: unknown): string | undefined {
  if (error instanceof SluiceError) return stateOf(error.cause);
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Host, port and database, without user and password. ERR_USAGE for what is no URL of PostgreSQL. */
function placeOf(url: string): string {
  const { host, pathname } = parseUrl(url);
  return `${host}${pathname}`;
}

export function parseUrl(url: string): URL {
  if (URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol)) return new URL(url);
  throw new SluiceError('ERR_USAGE', 'This is no address of a PostgreSQL database.', {
    hint: 'Give postgres://USER:PASSWORD@HOST:PORT/DATABASE; special characters of a password are written %XX.',
  });
}

/** The same server and account, another database. */
export function withDatabase(url: string, database: string): string {
  const address = parseUrl(url);
  address.pathname = `/${encodeURIComponent(database)}`;
  return address.href;
}

export function databaseOf(url: string): string {
  return decodeURIComponent(parseUrl(url).pathname.slice(1));
}

/** A name as SQL takes it literally. */
export const quoteName = (name: string): string => pg.escapeIdentifier(name);

/** A text as SQL takes it literally. */
export const quoteText = (text: string): string => pg.escapeLiteral(text);

/** Counts are far below 2^53; the driver would give them out as text. */
const getTypeParser: typeof pg.types.getTypeParser = (oid: Parameters<typeof pg.types.getTypeParser>[0]) =>
  oid === pg.types.builtins.INT8 ? Number : (pg.types.getTypeParser(oid) as unknown);
