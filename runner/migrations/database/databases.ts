import { randomBytes } from 'node:crypto';
import { SluiceError } from '../../model/errors.ts';
import { connect, databaseOf, quoteName, quoteText, stateOf, withConnection, withDatabase } from './connection.ts';
import type { Connection, ConnectOptions } from './connection.ts';
import { describeSession, sessionColumns } from './sessions.ts';
import type { Session } from './sessions.ts';
import { pause } from './pause.ts';

/** All databases that Sluice makes are called so, and remember in their comment when they were made. */
const nameFor = (purpose: string) => `sluice_${purpose.toLowerCase()}_${randomBytes(5).toString('hex')}`;
const madeName = '^sluice_\\w+_[0-9a-f]{10}$';
const comment = 'made by Sluice at ';
/** Taken while databases come and go, so that none is seen between its creation and its comment. */
const lock = '1399616867, 2';
const stepMs = 200;

export interface FromTemplateOptions {
  /** A server, with an account that may create databases; its database is connected to meanwhile, and must not be the template. */
  readonly adminUrl: string;
  /** The database that is copied, with all that is in it; undefined for an empty one. */
  readonly template?: string;
  /** What the copy is for, a part of its name: letters, digits and `_`. */
  readonly purpose: string;
  /** Puts rows in. When it fails, the database goes. */
  readonly seed?: (url: string, signal: AbortSignal) => Promise<void>;
  /** How long users of the template are waited for, in ms. Default 30 s. */
  readonly waitMs?: number;
  readonly signal: AbortSignal;
}

export interface MadeDatabase extends AsyncDisposable {
  readonly url: string;
  readonly name: string;
  /** Ends its sessions and removes it. Safe to call twice. */
  drop(): Promise<void>;
}

/** A new database from a template. ERR_CONFLICT, with who it is, when somebody keeps using the template; ERR_SERVICE. */
export async function databaseFromTemplate(options: FromTemplateOptions): Promise<MadeDatabase> {
  const { adminUrl, template = 'template0', purpose, seed, waitMs = 30_000, signal } = options;
  if (!/^\w{1,30}$/.test(purpose))
    throw new SluiceError('ERR_USAGE', `${JSON.stringify(purpose)} is no part of a name.`);
  const name = nameFor(purpose);
  const drop = () =>
    withConnection({ url: adminUrl, signal: AbortSignal.timeout(60_000) }, (connection) => remove(connection, name));
  const url = withDatabase(adminUrl, name);
  try {
    await underLock({ url: adminUrl, signal }, async (connection) => {
      await create(connection, name, template, waitMs, signal);
      const made = quoteText(comment + new Date().toISOString());
      await connection.query(`COMMENT ON DATABASE ${quoteName(name)} IS ${made}`);
    });
    await seed?.(url, signal);
    return { url, name, drop, [Symbol.asyncDispose]: drop };
  } catch (error) {
    await drop();
    throw error;
  }
}

async function create(
  connection: Connection,
  name: string,
  template: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const start = performance.now();
  for (;;) {
    try {
      await connection.query(`CREATE DATABASE ${quoteName(name)} TEMPLATE ${quoteName(template)}`);
      return;
    } catch (error) {
      // 55006: somebody is connected to the template.
      if (stateOf(error) !== '55006') throw error;
      if (performance.now() - start > waitMs) throw inUse(template, await usersOf(connection, template), error);
    }
    await pause(stepMs, signal);
  }
}

function usersOf(connection: Connection, database: string): Promise<readonly Session[]> {
  return connection.query<Session>(`SELECT ${sessionColumns('a')} FROM pg_stat_activity a WHERE a.datname = $1`, [
    database,
  ]);
}

function inUse(template: string, users: readonly Session[], cause: unknown): SluiceError {
  const who = users.map(describeSession).join('; ');
  return new SluiceError('ERR_CONFLICT', `The template ${template} cannot be copied while it is in use: ${who}.`, {
    hint: 'Nobody may be connected to a template; end those sessions.',
    cause,
  });
}

async function remove(connection: Connection, name: string): Promise<void> {
  await connection.query(`DROP DATABASE IF EXISTS ${quoteName(name)} WITH (FORCE)`);
}

export interface LeftoverOptions {
  readonly adminUrl: string;
  /** Age from which a database is a leftover, in ms. */
  readonly olderThanMs: number;
  /** Names that stay however old they are. */
  readonly keep?: readonly string[];
  readonly now: number;
  readonly signal: AbortSignal;
}

/** Drops databases that a killed process left, and those whose time is over. Their names. */
export function dropLeftovers({
  adminUrl,
  olderThanMs,
  keep = [],
  now,
  signal,
}: LeftoverOptions): Promise<readonly string[]> {
  return underLock({ url: adminUrl, signal }, async (connection) => {
    type Known = Readonly<Record<'name' | 'about', string>>;
    const rows = await connection.query<Known>(
      "SELECT datname AS name, coalesce(shobj_description(oid, 'pg_database'), '') AS about FROM pg_database WHERE datname ~ $1",
      [madeName],
    );
    const old = rows.filter(
      ({ name, about }) =>
        isLeftover(about, now - olderThanMs) && !keep.includes(name) && name !== databaseOf(adminUrl),
    );
    for (const { name } of old) await remove(connection, name);
    return old.map(({ name }) => name);
  });
}

/** One without a comment is from a process that died between two statements; one with another comment is not ours. */
function isLeftover(about: string, before: number): boolean {
  return about === '' || (about.startsWith(comment) && Date.parse(about.slice(comment.length)) <= before);
}

async function underLock<Result>(
  options: ConnectOptions,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  await using connection = await connect(options);
  await connection.query(`SELECT pg_advisory_lock(${lock})`);
  return await work(connection);
}
