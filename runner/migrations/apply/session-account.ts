import { randomBytes } from 'node:crypto';
import { clientVariables } from '../database/client-variables.ts';
import { connect, databaseOf, parseUrl, quoteName, quoteText, stateOf } from '../database/connection.ts';
import type { Connection, Row } from '../database/connection.ts';
import { scramVerifier } from '../database/scram-verifier.ts';
import { sessionConditions } from '../database/sessions.ts';
import type { SessionsBy } from '../database/sessions.ts';
import type { MigrateLimits } from './limits.ts';

/** As whom the user's command speaks to the database, and by what its sessions are known. */
export interface SessionAccount {
  /**
   * `own-role`: a role for this migration alone. `dedicated`: the account itself, which serves nothing but migrations. `by-name`: the account
   * itself, and its sessions are known by their name.
   */
  readonly kind: 'own-role' | 'dedicated' | 'by-name';
  readonly url: string;
  /** Variables that clients of PostgreSQL read, `DATABASE_URL` among them. */
  readonly env: Readonly<Record<string, string>>;
  readonly sessions: SessionsBy;
  /** Lets no new session begin, as far as that can be done. */
  shut(connection: Connection): Promise<void>;
  /** Removes what was made. All sessions must have ended. */
  remove(connection: Connection): Promise<void>;
}

interface Owner extends Row {
  readonly role: string;
  readonly database: number;
  readonly settings: readonly string[];
}

const about = `SELECT current_user AS role, d.oid::int8 AS database, ARRAY(
    SELECT DISTINCT split_part(unnest(s.setconfig), '=', 1) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
    WHERE r.rolname = current_user AND s.setdatabase IN (0, d.oid)) AS settings
  FROM pg_database d WHERE d.datname = current_database()`;

/** Settings of ours, by which every client is bound, whichever of PostgreSQL's variables it reads. */
const limitsOf = ({
  lockTimeoutMs,
  statementTimeoutMs,
  idleMs,
}: MigrateLimits): readonly (readonly [string, number])[] => [
  ['lock_timeout', lockTimeoutMs],
  ['statement_timeout', statementTimeoutMs],
  ['idle_in_transaction_session_timeout', idleMs],
];

/** How the sessions of migrations of a database are known, also those that an earlier process left. */
export async function knownSessions(connection: Connection, dedicated: boolean): Promise<readonly SessionsBy[]> {
  const owner = await ownerOf(connection);
  const name = nameFor(owner);
  return [
    { condition: sessionConditions.ofRole, value: name },
    { condition: sessionConditions.byName, value: name },
    ...(dedicated ? [{ condition: sessionConditions.ofAccount, value: owner.role }] : []),
  ];
}

/**
 * A role of its own where the account may make one: settings of a role bind every driver, and no session of the application
 * can be taken for one of the migration's. Its sessions act as the account itself, so what they make belongs to that.
 */
export async function openSessionAccount(
  connection: Connection,
  { url, dedicated, limits }: AccountOptions,
  signal: AbortSignal,
): Promise<SessionAccount> {
  const owner = await ownerOf(connection);
  if (!dedicated) return (await ownRole(connection, url, owner, limits, signal)) ?? byName(url, owner, limits);
  const settings = limitsOf(limits).map(
    ([setting, ms]) => `ALTER ROLE CURRENT_USER IN DATABASE ${quoteName(databaseOf(url))} SET ${setting} = ${ms}`,
  );
  await connection.query(settings.join(';'));
  const sessions = { condition: sessionConditions.ofAccount, value: owner.role };
  return { ...byName(url, owner, limits), kind: 'dedicated', sessions };
}

export interface AccountOptions {
  readonly url: string;
  /** Nobody but migrations uses the account: its limits may stay, and all its sessions are the migration's. */
  readonly dedicated: boolean;
  readonly limits: MigrateLimits;
}

async function ownerOf(connection: Connection): Promise<Owner> {
  const [owner] = await connection.query<Owner>(about);
  if (owner === undefined) throw new Error('a connection is to a database');
  return owner;
}

const nameFor = ({ database }: Owner): string => `sluice_migrate_${database}`;

async function ownRole(
  connection: Connection,
  url: string,
  owner: Owner,
  limits: MigrateLimits,
  signal: AbortSignal,
): Promise<SessionAccount | undefined> {
  const name = nameFor(owner);
  const role = quoteName(name);
  const password = randomBytes(24).toString('base64url');
  try {
    await connection.query(statementsFor(name, owner, limits, password));
  } catch (error) {
    await connection.query('ROLLBACK');
    // It may not make roles, or not end their sessions.
    if (stateOf(error) === '42501') return undefined;
    throw error;
  }
  const account: SessionAccount = {
    kind: 'own-role',
    ...addressFor(url, name, password, name),
    sessions: { condition: sessionConditions.ofRole, value: name },
    shut: async (through) => {
      await through.query(`ALTER ROLE ${role} NOLOGIN`);
    },
    remove: async (through) => {
      const { role: heir } = owner;
      await through.query(`REASSIGN OWNED BY ${role} TO ${quoteName(heir)}; DROP OWNED BY ${role}; DROP ROLE ${role}`);
    },
  };
  if (await letsIn(account.url, signal)) return account;
  await account.remove(connection);
  return undefined;
}

/** One transaction. The role of an earlier migration that was killed is taken over: it has a new password then. */
function statementsFor(
  name: string,
  { role: owner, settings }: Owner,
  limits: MigrateLimits,
  password: string,
): string {
  const role = quoteName(name);
  const inherited = settings.filter(
    (setting) => !limitsOf(limits).some(([ours]) => ours === setting) && setting !== 'role',
  );
  return [
    'BEGIN',
    `DO $$ BEGIN CREATE ROLE ${role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
    `ALTER ROLE ${role} LOGIN PASSWORD ${quoteText(scramVerifier(password))}`,
    `GRANT ${quoteName(owner)} TO ${role}`,
    `DO $$ BEGIN IF NOT pg_has_role(${quoteText(name)}, 'USAGE') THEN
       RAISE insufficient_privilege; END IF; END $$`,
    `ALTER ROLE ${role} RESET ALL`,
    ...inherited.map((setting) => `ALTER ROLE ${role} SET ${quoteName(setting)} FROM CURRENT`),
    ...limitsOf(limits).map(([setting, ms]) => `ALTER ROLE ${role} SET ${setting} = ${ms}`),
    `ALTER ROLE ${role} SET application_name = ${quoteText(name)}`,
    `ALTER ROLE ${role} SET role = ${quoteText(owner)}`,
    'COMMIT',
  ].join(';\n');
}

/** The server may have a list of who may come. */
async function letsIn(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    await using connection = await connect({ url, signal });
    await connection.query('SELECT 1');
    return true;
  } catch (error) {
    if (stateOf(error)?.startsWith('28') === true) return false;
    throw error;
  }
}

/** Clients that read neither PGOPTIONS nor PGAPPNAME escape both the limits and the end of their sessions. */
function byName(url: string, owner: Owner, limits: MigrateLimits): SessionAccount {
  const name = nameFor(owner);
  const { username, password } = parseUrl(url);
  const address = addressFor(url, decodeURIComponent(username), decodeURIComponent(password), name);
  const options = limitsOf(limits)
    .map(([setting, ms]) => `-c ${setting}=${ms}`)
    .join(' ');
  const withOptions = parseUrl(address.url);
  withOptions.search = new URLSearchParams({
    ...Object.fromEntries(withOptions.searchParams),
    options,
    application_name: name,
  })
    .toString()
    // A plus is a space to some drivers and a plus to others.
    .replaceAll('+', '%20');
  return {
    kind: 'by-name',
    url: withOptions.href,
    env: { ...address.env, DATABASE_URL: withOptions.href, PGOPTIONS: options },
    sessions: { condition: sessionConditions.byName, value: name },
    shut: () => Promise.resolve(),
    remove: () => Promise.resolve(),
  };
}

function addressFor(url: string, user: string, password: string, application: string) {
  const address = parseUrl(url);
  address.username = encodeURIComponent(user);
  address.password = encodeURIComponent(password);
  return { url: address.href, env: { ...clientVariables(address.href), PGAPPNAME: application } };
}
