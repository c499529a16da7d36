import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageToolbox } from '../../executors/local/image-tools.ts';
import { messageOf, SluiceError } from '../../model/errors.ts';
import type { Json } from '../../model/json.ts';
import { withDatabase } from '../database-roles.ts';
import type { DatabaseUrls } from '../database-roles.ts';
import type { EnvironmentName, Release } from '../release.ts';
import type { ReleaseHealth, SiteRecord, SiteTask, TaskEnd } from '../site.ts';
import { App } from './app.ts';
import { readText, writeDurably } from './durable-file.ts';
import type { Target } from './gateway.ts';
import type { Command, ProcessHost } from './managed-process.ts';
import { RecordFiles } from './record-files.ts';
import { releaseFiles } from './release-files.ts';
import { Serial } from './serial.ts';
import type { BackendCalls } from './supervisor-calls.ts';
import { Tasks } from './tasks.ts';

/** What all backends of a supervisor share. */
export interface BackendHost extends ProcessHost {
  /** Files of releases by digest. */
  readonly releases: string;
  readonly images: ImageToolbox;
  /** What programs see of the machine's environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** What an environment is to be. In a file, so that a new supervisor brings it about again. */
interface EnvironmentState {
  readonly running: readonly Release[];
  readonly routed?: { readonly release: Release; readonly fence: number };
}

type States = Readonly<Record<EnvironmentName, EnvironmentState>>;

interface RunningRelease {
  readonly apps: readonly App[];
  /** Why it has none. */
  readonly fault?: string;
}

const nothing: States = { testing: { running: [] }, production: { running: [] } };

/** The environments of one backend: what they are to be, on disk, and the processes that it takes. */
export class LocalBackend implements BackendCalls {
  readonly #name: string;
  readonly #folder: string;
  readonly #host: BackendHost;
  readonly #records: RecordFiles;
  readonly #tasks: Tasks;
  readonly #running = new Map<string, RunningRelease>();
  readonly #changes = new Serial();
  /** URLs of its databases; undefined for a backend without. */
  databases: Readonly<Record<EnvironmentName, DatabaseUrls>> | undefined;
  #states = nothing;

  constructor(name: string, folder: string, host: BackendHost) {
    this.#name = name;
    this.#folder = folder;
    this.#host = host;
    this.#records = new RecordFiles(join(folder, 'records'));
    this.#tasks = new Tasks(join(folder, 'tasks'), host);
  }

  /** Starts what ran when the supervisor before ended. */
  async resume(): Promise<void> {
    const text = await readText(this.#stateFile);
    if (text === undefined) return;
    this.#states = JSON.parse(text) as States;
    for (const environment of ['testing', 'production'] as const) {
      for (const release of this.#states[environment].running) await this.#run(environment, release);
    }
  }

  read(name: string): Promise<SiteRecord | undefined> {
    return this.#records.read(name);
  }

  write(name: string, value: Json, version: string | undefined): Promise<SiteRecord> {
    return this.#records.write(name, value, version);
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#records.list(prefix);
  }

  start(environment: EnvironmentName, release: Release): Promise<void> {
    return this.#changes.run(async () => {
      const { running } = this.#states[environment];
      const others = running.filter(({ name }) => name !== release.name);
      await this.#save(environment, { running: [...others, release] });
      await this.#run(environment, release);
    });
  }

  async health(environment: EnvironmentName, { name }: Release): Promise<ReleaseHealth> {
    const running = this.#running.get(keyOf(environment, name));
    if (running === undefined) return { state: 'failed', message: `${name} is not started in ${environment}` };
    if (running.fault !== undefined) return { state: 'failed', message: running.fault };
    const found = await Promise.all(running.apps.map((app) => app.health()));
    const worst = found.find(({ state }) => state === 'failed') ?? found.find(({ state }) => state === 'starting');
    return worst ?? { state: 'healthy' };
  }

  task(environment: EnvironmentName, release: Release, task: Omit<SiteTask, 'signal'>): Promise<TaskEnd> {
    return this.#tasks.run(task.name, task, async () => {
      const [service] = release.services;
      const own = this.databases?.[environment].migrator;
      const url = own !== undefined && task.database !== undefined ? withDatabase(own, task.database) : own;
      const place = await this.#place(environment, release, service?.image ?? '', url);
      return { ...place, env: { ...place.env, ...task.env }, argv: ['/bin/sh', '-ec', task.script] };
    });
  }

  endTasks(group: string): Promise<void> {
    return this.#tasks.end(group);
  }

  route(environment: EnvironmentName, release: Release, fence: number): Promise<void> {
    return this.#changes.run(async () => {
      const { routed } = this.#states[environment];
      if (routed !== undefined && routed.fence > fence) {
        throw new SluiceError('ERR_FENCED', `somebody else has taken the ${environment} environment meanwhile`);
      }
      await this.#save(environment, { routed: { release, fence } });
    });
  }

  routed(environment: EnvironmentName): Promise<string | undefined> {
    return Promise.resolve(this.#states[environment].routed?.release.name);
  }

  keep(environment: EnvironmentName, releases: readonly string[]): Promise<void> {
    return this.#changes.run(async () => {
      const { running } = this.#states[environment];
      await this.#save(environment, { running: running.filter(({ name }) => releases.includes(name)) });
      const gone = running.filter(({ name }) => !releases.includes(name));
      await Promise.all(gone.map(({ name }) => this.#end(keyOf(environment, name))));
    });
  }

  /** Where the requests for a service go; for the first one with a port when none is named. */
  target(environment: EnvironmentName, service: string | undefined): Target | undefined {
    const { routed } = this.#states[environment];
    if (routed === undefined) return undefined;
    const apps = this.#running.get(keyOf(environment, routed.release.name))?.apps ?? [];
    const app = apps.find((each) =>
      service === undefined ? each.service.port !== undefined : each.service.name === service,
    );
    return app && { release: routed.release.name, app };
  }

  async view(environment: EnvironmentName): Promise<{
    readonly routed: string | undefined;
    readonly releases: readonly { release: string; health: ReleaseHealth }[];
  }> {
    const { running, routed } = this.#states[environment];
    const looks = running.map(async (release) => ({
      release: release.name,
      health: await this.health(environment, release),
    }));
    return { routed: routed?.release.name, releases: await Promise.all(looks) };
  }

  /** Ends its processes; what is to run stays on record. */
  async stop(): Promise<void> {
    await this.#changes.run(() => Promise.all([...this.#running.keys()].map((key) => this.#end(key))));
  }

  get #stateFile(): string {
    return join(this.#folder, 'state.json');
  }

  async #save(environment: EnvironmentName, change: Partial<EnvironmentState>): Promise<void> {
    const states = { ...this.#states, [environment]: { ...this.#states[environment], ...change } };
    await writeDurably(this.#stateFile, JSON.stringify(states));
    this.#states = states;
  }

  async #run(environment: EnvironmentName, release: Release): Promise<void> {
    const key = keyOf(environment, release.name);
    const known = this.#running.get(key);
    if (known !== undefined && known.fault === undefined) return;
    this.#running.set(key, await this.#startApps(environment, release));
  }

  async #startApps(environment: EnvironmentName, release: Release): Promise<RunningRelease> {
    const url = this.databases?.[environment].app;
    try {
      const places = await Promise.all(
        release.services.map(async (service) => ({
          service,
          place: await this.#place(environment, release, service.image, url),
        })),
      );
      const apps = places.map(({ service, place }) => {
        const name = `${this.#name}/${environment}/${release.name}/${service.name}`;
        const log = join(this.#folder, 'logs', `${environment}-${release.name}-${service.name}.log`);
        const env = () => Promise.resolve({ ...service.env, ...place.env });
        return new App({ name, service, folder: place.cwd, env, log }, this.#host);
      });
      return { apps };
    } catch (error) {
      return { apps: [], fault: messageOf(error) };
    }
  }

  /** Folder and environment of a process of a release. */
  async #place(
    environment: EnvironmentName,
    release: Release,
    image: string,
    databaseUrl: string | undefined,
  ): Promise<Omit<Command, 'argv'>> {
    const { releases, images, env, signal } = this.#host;
    const { folder, base } = await releaseFiles(releases, image, signal);
    const { path } = await images.toolsFor(base, signal);
    const home = join(this.#folder, 'home');
    await mkdir(home, { recursive: true, mode: 0o700 });
    const own = {
      PATH: path,
      HOME: home,
      SLUICE_RELEASE: release.name,
      SLUICE_COMMIT: release.commit,
      SLUICE_ENVIRONMENT: environment,
      ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    };
    return { cwd: folder, env: { ...env, ...own } };
  }

  async #end(key: string): Promise<void> {
    const running = this.#running.get(key);
    this.#running.delete(key);
    await Promise.all(running?.apps.map((app) => app.stop()) ?? []);
  }
}

function keyOf(environment: EnvironmentName, release: string): string {
  return `${environment}/${release}`;
}
