import { chmodSync, mkdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageToolbox } from '../../executors/local/image-tools.ts';
import { OutputPipes } from '../../executors/local/output-pipe.ts';
import type { OwnedBackend } from '../../model/backend.ts';
import { systemClock } from '../../model/clock.ts';
import { SluiceError } from '../../model/errors.ts';
import { refuseProtected } from '../backends.ts';
import type { KnownBackend } from '../backends.ts';
import type { EnvironmentName } from '../release.ts';
import { databaseFolder } from './database-folder.ts';
import { DatabaseServer } from './database-server.ts';
import { readText, writeDurably } from './durable-file.ts';
import { Gateway } from './gateway.ts';
import type { Target } from './gateway.ts';
import { LocalBackend } from './local-backend.ts';
import type { BackendHost } from './local-backend.ts';
import { takeLock } from './lock.ts';
import { succeedJournal } from './process-journal.ts';
import { Serial } from './serial.ts';
import { serveCalls, socketPath } from './serve-calls.ts';
import { protocol, releasesFolder } from './supervisor-calls.ts';
import type { BackendAccess, BackendMarks, EnvironmentView, Greeting, SupervisorCalls } from './supervisor-calls.ts';

export interface SupervisorOptions {
  /** Of the environments of one user; made when it is missing. */
  readonly folder: string;
  /** Holds downloaded programs. */
  readonly cache: string;
  /** What apps see of the machine's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it in good order. */
  readonly signal: AbortSignal;
}

/** What the supervisor knows of a backend beside its environments. */
interface BackendRecord extends OwnedBackend {
  readonly ports: Readonly<Record<EnvironmentName, number>>;
  /** ms since 1970; those of an earlier version do not know. */
  readonly createdAt?: number;
  /** Where nothing is said it is protected. */
  readonly marks?: BackendMarks;
}

const environmentNames = ['testing', 'production'] as const;
/** Wanted when nobody has it. */
const gatewayPort = 7373;

/**
 * Keeps the environments of this machine until it is asked to stop: apps, gateway, PostgreSQL. They are its child processes, so that they outlive every run. One per
 * folder: a second one ends at once. What is to run is on disk: one that comes after a crash ends what is left, and starts everything again.
 */
export async function runSupervisor(options: SupervisorOptions): Promise<void> {
  const { folder, signal } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const unlock = takeLock(join(folder, 'lock'));
  if (unlock === undefined) return;
  const stopping = new AbortController();
  const wish = AbortSignal.any([signal, stopping.signal]);
  try {
    const supervisor = new Supervisor(options, await hostOf(options, wish), () => stopping.abort());
    await supervisor.open();
    const server = await serveCalls(socketPath(folder), supervisor, (name) => supervisor.backend(name));
    await new Promise((resolve) => {
      if (wish.aborted) resolve(undefined);
      else wish.addEventListener('abort', resolve);
    });
    await supervisor.close();
    await server.close();
  } finally {
    unlock();
  }
}

async function hostOf({ folder, cache, env }: SupervisorOptions, signal: AbortSignal): Promise<BackendHost> {
  return {
    releases: join(folder, releasesFolder),
    images: new ImageToolbox(cache, env),
    env,
    signal,
    pipes: new OutputPipes(join(folder, 'pipes')),
    journal: await succeedJournal(folder),
  };
}

class Supervisor implements SupervisorCalls {
  readonly #folder: string;
  readonly #host: BackendHost;
  readonly #databases: DatabaseServer;
  readonly #gateway: Gateway;
  readonly #backends = new Map<string, LocalBackend>();
  readonly #records = new Map<string, BackendRecord>();
  readonly #changes = new Serial();
  readonly #end: () => void;
  #port = 0;

  constructor({ folder, cache, env }: SupervisorOptions, host: BackendHost, end: () => void) {
    this.#end = end;
    this.#folder = folder;
    this.#host = host;
    const log = join(folder, 'postgres.log');
    const secrets = join(folder, 'secrets');
    this.#databases = new DatabaseServer({ folder: databaseFolder(folder), secrets, cache, env, log }, host);
    this.#gateway = new Gateway((name) => this.#target(name));
  }

  async open(): Promise<void> {
    const remembered = await readText(this.#portFile);
    this.#port = await this.#gateway.listen(remembered === undefined ? gatewayPort : Number(remembered));
    await writeDurably(this.#portFile, String(this.#port));
    for (const name of await readdir(this.#backendsFolder).catch(() => [])) {
      const text = await readText(this.#recordFile(name));
      if (text !== undefined) await this.#open(JSON.parse(text) as BackendRecord);
    }
  }

  greet(): Promise<Greeting> {
    return Promise.resolve({ protocol, pid: process.pid });
  }

  ensure(owned: OwnedBackend, isProtected = true): Promise<BackendAccess> {
    return this.#changes.run(async () => {
      const { name } = owned.backend;
      const known = this.#records.get(name);
      if (known !== undefined && known.repository !== owned.repository) {
        throw new SluiceError('ERR_CONFLICT', `the backend "${name}" belongs to ${known.repository}`, {
          hint: 'Choose another `backend.name`.',
        });
      }
      const fresh = { ports: { testing: 0, production: 0 }, createdAt: systemClock(), marks: { isProtected } };
      const record = await this.#open({ ...(known ?? fresh), ...owned });
      return this.#access(record);
    });
  }

  backends(): Promise<readonly KnownBackend[]> {
    return Promise.resolve([...this.#records.values()].map(knownOf));
  }

  mark(name: string, marks: BackendMarks): Promise<KnownBackend> {
    return this.#changes.run(async () => {
      const record = this.#record(name);
      if (marks.deleteAt !== undefined) refuseProtected(knownOf(record));
      await this.#keep({ ...record, marks });
      return knownOf(this.#record(name));
    });
  }

  remove(name: string): Promise<void> {
    return this.#changes.run(async () => {
      const record = this.#record(name);
      refuseProtected(knownOf(record));
      // Its record goes last: what a crash leaves behind is ended when it is removed again.
      await this.backend(name).stop();
      await Promise.all(environmentNames.map((environment) => this.#gateway.leave(record.ports[environment])));
      if (record.backend.database !== undefined) {
        for (const environment of environmentNames) await this.#databases.remove(name, environment, this.#host.signal);
      }
      await rm(join(this.#backendsFolder, name), { recursive: true, force: true });
      this.#backends.delete(name);
      this.#records.delete(name);
    });
  }

  /** ERR_NOT_FOUND for one that nobody has asked for. */
  backend(name: string): LocalBackend {
    const backend = this.#backends.get(name);
    if (backend !== undefined) return backend;
    throw new SluiceError('ERR_NOT_FOUND', `there is no backend "${name}" on this machine`);
  }

  async list(): Promise<readonly EnvironmentView[]> {
    const views = [...this.#records.values()].flatMap((record) =>
      environmentNames.map(async (environment) => ({
        backend: record.backend.name,
        environment,
        name: `http://${hostOfEnvironment(record.backend.name, environment)}:${this.#port}`,
        url: this.#access(record).urls[environment],
        ...(record.backend.database && { database: await this.#databaseState() }),
        ...(await this.backend(record.backend.name).view(environment)),
      })),
    );
    return Promise.all(views);
  }

  stop(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await this.#gateway.close();
    await Promise.all([...this.#backends.values()].map((backend) => backend.stop()));
    await this.#databases.stop();
    this.#host.pipes.close();
  }

  /** ERR_NOT_FOUND for one that nobody has asked for. */
  #record(name: string): BackendRecord {
    const record = this.#records.get(name);
    if (record !== undefined) return record;
    throw new SluiceError('ERR_NOT_FOUND', `there is no backend "${name}" on this machine`);
  }

  async #keep(record: BackendRecord): Promise<void> {
    const { name } = record.backend;
    await writeDurably(this.#recordFile(name), JSON.stringify(record));
    this.#records.set(name, record);
  }

  async #databaseState(): Promise<'ready' | 'starting'> {
    return (await this.#databases.answers()) ? 'ready' : 'starting';
  }

  get #portFile(): string {
    return join(this.#folder, 'gateway-port');
  }

  get #backendsFolder(): string {
    return join(this.#folder, 'backends');
  }

  #recordFile(name: string): string {
    return join(this.#backendsFolder, name, 'backend.json');
  }

  /** Its databases, the doors of its environments, and what ran there before. */
  async #open(wanted: BackendRecord): Promise<BackendRecord> {
    const { name, database } = wanted.backend;
    const known = this.#backends.get(name);
    const backend = known ?? new LocalBackend(name, join(this.#backendsFolder, name), this.#host);
    if (database !== undefined) backend.databases ??= await this.#databasesOf(name);
    const ports = known === undefined ? await this.#doors(wanted) : wanted.ports;
    const record = { ...wanted, ports };
    this.#backends.set(name, backend);
    await this.#keep(record);
    if (known === undefined) await backend.resume();
    return record;
  }

  async #databasesOf(name: string) {
    const { signal } = this.#host;
    const testing = await this.#databases.ensure(name, 'testing', signal);
    return { testing, production: await this.#databases.ensure(name, 'production', signal) };
  }

  async #doors({ backend: { name }, ports }: BackendRecord): Promise<BackendRecord['ports']> {
    const door = (environment: EnvironmentName): Promise<number> =>
      this.#gateway.listen(ports[environment], hostOfEnvironment(name, environment));
    return { testing: await door('testing'), production: await door('production') };
  }

  #access({ backend: { name }, ports }: BackendRecord): BackendAccess {
    const url = (environment: EnvironmentName): string => `http://127.0.0.1:${ports[environment]}`;
    const { programs } = this.#databases;
    return {
      urls: { testing: url('testing'), production: url('production') },
      databases: this.#backends.get(name)?.databases,
      ...(programs !== undefined && { programs }),
    };
  }

  /** `tasks.localhost`, `test.tasks.localhost`, and with the name of a service in front of that. */
  #target(host: string): Target | undefined {
    const parts = host.toLowerCase().split('.');
    if (parts.pop() !== 'localhost') return undefined;
    const backend = this.#backends.get(parts.pop() ?? '');
    const environment = parts.at(-1) === 'test' ? 'testing' : 'production';
    if (environment === 'testing') parts.pop();
    return parts.length > 1 ? undefined : backend?.target(environment, parts[0]);
  }
}

function knownOf({ backend, repository, createdAt = 0, marks = { isProtected: true } }: BackendRecord): KnownBackend {
  return { backend, repository, createdAt, ...marks, isEnding: false };
}

function hostOfEnvironment(backend: string, environment: EnvironmentName): string {
  return `${environment === 'testing' ? 'test.' : ''}${backend}.localhost`;
}
