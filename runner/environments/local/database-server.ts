import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../executors/local/free-port.ts';
import { makeData } from '../../executors/local/services/postgres-data.ts';
import { postgresPrograms } from '../../executors/local/services/postgres-programs.ts';
import { reachableCache, serviceUser } from '../../executors/local/services/service-user.ts';
import { postgresUrl } from '../../executors/postgres-account.ts';
import type { PostgresAccount } from '../../executors/postgres-account.ts';
import { removeTree } from '../../executors/local/remove-tree.ts';
import { messageOf, SluiceError } from '../../model/errors.ts';
import { databaseNameOf, roleNameOf } from '../database-names.ts';
import type { DatabaseUrls } from '../database-roles.ts';
import type { EnvironmentName } from '../release.ts';
import { accepts } from './app.ts';
import { readText, writeDurably } from './durable-file.ts';
import { ManagedProcess } from './managed-process.ts';
import type { ProcessHost } from './managed-process.ts';
import { Serial } from './serial.ts';

export interface DatabaseServerOptions {
  /** Where its data is, and stays. */
  readonly folder: string;
  /** Where passwords are. */
  readonly secrets: string;
  /** Holds downloaded programs. */
  readonly cache: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: string;
}

/** Passwords of the two roles of one database. */
type Passwords = Readonly<Record<'migrator' | 'app', string>>;

const readyMs = 60_000;
const lookMs = 25;
/** Unlike those of services, these data have to survive a crash. Connections by name and password only, from this machine only. */
const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'dynamic_shared_memory_type=mmap'];

/** One PostgreSQL server for the databases of all backends of this user on this machine. Started when it is first needed. */
export class DatabaseServer {
  readonly #options: DatabaseServerOptions;
  readonly #host: ProcessHost;
  readonly #work = new Serial();
  #process: ManagedProcess | undefined;
  #port = 0;
  #programs: string | undefined;

  constructor(options: DatabaseServerOptions, host: ProcessHost) {
    this.#options = options;
    this.#host = host;
  }

  /**
   * URLs of the database of an environment, which is made when it is missing. Its roles are made by whoever prepares it; nobody else's roles may
   * connect to it.
   */
  ensure(backend: string, environment: EnvironmentName, signal: AbortSignal): Promise<DatabaseUrls> {
    return this.#work.run(async () => {
      const admin = await this.#start(signal);
      const name = databaseNameOf(backend, environment);
      const { migrator, app } = await this.#secret<Passwords>(name, () => ({ migrator: password(), app: password() }));
      await this.#create(admin('postgres'), name, signal);
      const urlOf = (role: keyof Passwords, secret: string): string =>
        postgresUrl({ user: roleNameOf(name, role), password: secret, database: name, options: [] }, this.#port);
      return { admin: admin(name), migrator: urlOf('migrator', migrator), app: urlOf('app', app) };
    });
  }

  /** Folder with its programs; undefined before it was first needed. */
  get programs(): string | undefined {
    return this.#programs;
  }

  /** Drops the database of an environment with those that were copied from it, and their roles. */
  remove(backend: string, environment: EnvironmentName, signal: AbortSignal): Promise<void> {
    return this.#work.run(async () => {
      const name = databaseNameOf(backend, environment);
      // A name of a backend has no `_`: nobody else's begins so.
      const owned = `^${name}(_|$)`;
      const client = await this.#connect((await this.#start(signal))('postgres'), signal);
      try {
        const databases = await client.query<{ name: string }>(
          'SELECT datname AS name FROM pg_database WHERE datname ~ $1',
          [owned],
        );
        for (const each of databases.rows) {
          const database = client.escapeIdentifier(each.name);
          await client.query(`ALTER DATABASE ${database} IS_TEMPLATE false`);
          await client.query(`DROP DATABASE ${database} WITH (FORCE)`);
        }
        const roles = await client.query<{ name: string }>('SELECT rolname AS name FROM pg_roles WHERE rolname ~ $1', [
          owned,
        ]);
        for (const each of roles.rows) await client.query(`DROP ROLE ${client.escapeIdentifier(each.name)}`);
      } finally {
        await client.end().catch(() => undefined);
      }
      await rm(this.#secretFile(name), { force: true });
    });
  }

  /** Whether it takes connections just now. */
  async answers(): Promise<boolean> {
    return this.#process?.isRunning === true && (await accepts(this.#port));
  }

  async stop(): Promise<void> {
    await this.#work.run(async () => {
      await this.#process?.stop();
      this.#process = undefined;
    });
  }

  /** Answers the URL of a database by the rights of the superuser. */
  async #start(signal: AbortSignal): Promise<(database: string) => string> {
    const secret = await this.#secret('postgres', password);
    const account = { user: 'postgres', password: secret, database: 'postgres', options: [] };
    this.#process ??= await this.#open(account, signal);
    return (database) => postgresUrl({ ...account, database }, this.#port);
  }

  async #open(account: PostgresAccount, signal: AbortSignal): Promise<ManagedProcess> {
    const { folder, env, log } = this.#options;
    const user = serviceUser();
    mkdirSync(dirname(folder), { recursive: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
    const cache = reachableCache(this.#options.cache, user);
    const site = { folder, cache, env: { ...env, HOME: folder, TMPDIR: folder }, user, signal };
    const programs = await postgresPrograms(undefined, site);
    this.#programs = programs.folder;
    const data = join(folder, 'data');
    if (!existsSync(data)) {
      const draft = `${data}.draft`;
      if (existsSync(draft)) await removeTree(draft);
      await makeData(programs, draft, account, site);
      renameSync(draft, data);
    }
    this.#port = await freePort();
    const options = settings.flatMap((setting) => ['-c', setting]);
    const argv = [join(programs.folder, 'postgres'), '-D', data, '-p', String(this.#port), ...options];
    const command = { argv, cwd: folder, env: site.env };
    // "Fast" shutdown: does not wait for clients.
    const process = { name: 'postgres', command: () => Promise.resolve(command), log, stopSignal: 'SIGINT' } as const;
    return new ManagedProcess({ ...process, ...(user && { user }) }, this.#host);
  }

  async #create(url: string, name: string, signal: AbortSignal): Promise<void> {
    const client = await this.#connect(url, signal);
    try {
      const database = client.escapeIdentifier(name);
      const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${database}`);
      await client.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** It takes a moment to start, and longer after a crash. */
  async #connect(connectionString: string, signal: AbortSignal): Promise<pg.Client> {
    const deadline = performance.now() + readyMs;
    for (;;) {
      const client = new pg.Client({ connectionString });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return client;
      } catch (error) {
        await client.end().catch(() => undefined);
        if (performance.now() > deadline) {
          throw new SluiceError('ERR_SERVICE', `PostgreSQL on this machine does not answer: ${messageOf(error)}`, {
            hint: `Its log is ${this.#options.log}.`,
          });
        }
      }
      await sleep(lookMs, undefined, { signal });
    }
  }

  #secretFile(name: string): string {
    return join(this.#options.secrets, `${name}.json`);
  }

  /** Made once, and kept for this user only. */
  async #secret<Value>(name: string, make: () => Value): Promise<Value> {
    const path = this.#secretFile(name);
    const known = await readText(path);
    if (known !== undefined) return JSON.parse(known) as Value;
    const made = make();
    await writeDurably(path, JSON.stringify(made));
    return made;
  }
}

function password(): string {
  return randomBytes(24).toString('hex');
}
