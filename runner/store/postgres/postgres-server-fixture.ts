import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../executors/local/free-port.ts';
import { makeData } from '../../executors/local/services/postgres-data.ts';
import { postgresPrograms } from '../../executors/local/services/postgres-programs.ts';
import type { PostgresPrograms } from '../../executors/local/services/postgres-programs.ts';
import type { ServiceSite } from '../../executors/local/services/service-kind.ts';
import { reachableCache, serviceUser } from '../../executors/local/services/service-user.ts';

/** A real PostgreSQL for tests, with its data in a temporary folder. */
export interface PostgresServer {
  readonly port: number;
  /** Makes a database of its own and answers its URL. */
  database(options?: string): Promise<string>;
  /** Runs one statement as the owner of everything. */
  query(statement: string, database?: string): Promise<readonly Record<string, unknown>[]>;
  /** Ends it without a shutdown, as a crash does, and starts it again on the same data and port. */
  crash(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  start(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

const account = { user: 'sluice', password: 'pass word', database: 'sluice', options: [] };

/** PostgreSQL 15 where this machine has it, else the one that services of steps get. `settings` are added, `name=value` each. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const user = serviceUser();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-postgres-'));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: folder };
  const cache = reachableCache(join(tmpdir(), 'sluice-test-tools'), user);
  const site: ServiceSite = { folder, cache, env, user, signal: AbortSignal.timeout(300_000) };
  const programs = await postgresPrograms(15, site).catch(() => postgresPrograms(undefined, site));
  const data = join(folder, 'data');
  await makeData(programs, data, account, site);
  const server = new Server(programs, data, site, settings, await freePort());
  await server.start();
  return server;
}

class Server implements PostgresServer {
  readonly port: number;
  readonly #argv: readonly string[];
  readonly #site: ServiceSite;
  #process: ChildProcess | undefined;

  constructor(programs: PostgresPrograms, data: string, site: ServiceSite, settings: readonly string[], port: number) {
    this.port = port;
    this.#site = site;
    const all = [
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'dynamic_shared_memory_type=mmap',
      ...settings,
    ];
    const options = all.flatMap((setting) => ['-c', setting]);
    this.#argv = [join(programs.folder, 'postgres'), '-D', data, '-p', String(port), ...options];
  }

  async start(): Promise<void> {
    const [program = '', ...args] = this.#argv;
    const { folder, env, user } = this.#site;
    this.#process = spawn(program, args, { cwd: folder, env, stdio: 'ignore', ...user });
    while (!(await this.#answers())) await sleep(20);
  }

  async database(options = ''): Promise<string> {
    const name = `t${randomBytes(6).toString('hex')}`;
    await this.query(`create database ${name} ${options}`);
    return this.#url(name);
  }

  async query(statement: string, database = account.database): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client(this.#url(database));
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  }

  async crash(): Promise<void> {
    await this.#end('SIGQUIT');
    await this.start();
  }

  kill(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async remove(): Promise<void> {
    await this.#end('SIGQUIT');
    await rm(this.#site.folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async #answers(): Promise<boolean> {
    if (this.#process?.exitCode !== null) throw new Error(`PostgreSQL ended: ${this.#argv.join(' ')}`);
    return this.query('select 1').then(
      () => true,
      () => false,
    );
  }

  #url(database: string): string {
    return `postgres://${account.user}:${encodeURIComponent(account.password)}@127.0.0.1:${this.port}/${database}`;
  }
}
