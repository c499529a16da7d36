import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCli } from './cli/cli.ts';
import type { Archive, Checkout, Services, Trial } from './cli/session.ts';
import type { Config } from './config/config.ts';
import { readEnvironment } from './config/environment.ts';
import type { Environment } from './config/environment.ts';
import type { Engine } from './engine/engine.ts';
import type { BackendPlace } from './environments/kubernetes/place.ts';
import type { Executor } from './executors/executor.ts';
import type { BackendNamespaces } from './executors/kubernetes/backend-namespaces.ts';
import { systemClock } from './model/clock.ts';
import { SluiceError } from './model/errors.ts';
import { ownImage } from './model/own-images.ts';
import type { AttemptKey } from './model/result.ts';
import type { FileLogs } from './results/log/file-logs.ts';
import type { Logs } from './results/log/logs.ts';
import type { Intake } from './store/intake.ts';
import type { Outbox } from './store/outbox.ts';
import type { ServerRecords } from './store/server-records.ts';
import type { Store } from './store/store.ts';
import type { Watch } from './store/watch.ts';
import { openBackends, placeOf } from './open-backends.ts';
import { openSecretBox } from './store/secret-box.ts';

const maxLogBytes = 1024 ** 3;
const maxUploadBytes = 16 * 1024 ** 3;

const kubernetesDefaults = {
  user: 1000,
  graceMs: 10_000,
  patienceMs: 300_000,
  placeMs: 1_800_000,
  absenceMs: 3_600_000,
};

/** One command line, without node and script name, to its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const environment = readEnvironment();
  const io = { stdout: process.stdout, stderr: process.stderr, cwd: process.cwd(), signals: process };
  return runCli(argv, io, {
    version: await readVersion(),
    environment,
    open: (config) => openServices(config, environment),
    tryStep: (config) => tryStepOn(config, environment),
    serve: async (services, config) => {
      const { serve } = await import('./serve.ts');
      return serve(services, { config, environment, version: await readVersion() });
    },
    archive: archiveOf,
    environments: async (config) => (await import('./open-environments.ts')).openEnvironments(config, environment),
    checkout: (config, folder) => readCheckout(config, environment, folder),
    backends: (config) => openBackends(config, environment),
    operate: async (name, say) => (await import('./operate.ts')).operate(name, environment, await readVersion(), say),
    gates: readGates,
  });
}

/** The one place that knows every implementation. They are loaded here, so that commands which need none start at once. */
async function openServices(config: Config, environment: Environment): Promise<Services> {
  const [{ createEngine }, { createFileLogs }, { createGitSources }] = await Promise.all([
    import('./engine/create-engine.ts'),
    import('./results/log/file-logs.ts'),
    import('./sources/git-source.ts'),
  ]);
  const [{ thisProcess }, { createLogger }] = await Promise.all([import('./store/owner.ts'), import('./logging.ts')]);
  const { store, installation } = await openStore(config);
  const blobs = await openBlobStore(config);
  const logs = await sharedWhereNeeded(createFileLogs(join(config.home, 'logs')), blobs, config);
  const executor = await openExecutor(config, environment, { isOver: (key) => isOver(engine, key), installation });
  const sources = createGitSources({ environment: environment.variables, temporaryFolder: join(config.home, 'trees') });
  const engine: Engine = createEngine({
    store,
    blobs,
    logs,
    executor,
    sources,
    clock: systemClock,
    logger: createLogger('error'),
    owner: thisProcess(),
    secret: (name) => config.secrets[name],
    gates: await readGates(),
    capacity: config.jobs,
    maxLogBytes,
    maxUploadBytes,
    lookAhead: config.lookAhead,
  });
  return {
    engine,
    store,
    logs,
    blobs,
    intake: store,
    watch: store,
    outbox: store,
    secretBox: await openSecretBox(config.home),
    close: () => executor.close().finally(() => Promise.all([sources.close(), store.close()])),
  };
}

/** A bucket where one is configured, else the data folder. */
async function openBlobStore({ home, bucket }: Config): Promise<Services['blobs']> {
  if (bucket === undefined) return (await import('./store/blobs.ts')).openBlobs(join(home, 'blobs'));
  return (await import('./store/s3-blobs.ts')).openS3Blobs(bucket, join(home, 'incoming'));
}

async function readCheckout(config: Config, environment: Environment, folder: string): Promise<Checkout> {
  const { createGitSources } = await import('./sources/git-source.ts');
  const sources = createGitSources({ environment: environment.variables, temporaryFolder: join(config.home, 'trees') });
  try {
    const { repository, commit, dirty } = await sources.open(folder);
    return { repository, commit, dirty };
  } finally {
    await sources.close();
  }
}

function archiveOf({ home, database, bucket }: Config): Archive {
  if (database !== undefined || bucket !== undefined) {
    throw new SluiceError('ERR_USAGE', 'A store on PostgreSQL or S3 is backed up by the means of those.', {
      hint: 'docs/store.md says how.',
    });
  }
  const archive = import('./store/archive.ts');
  return {
    backUp: async (folder) => (await archive).backUp(home, folder),
    restore: async (folder) => (await archive).restore(folder, home),
  };
}

interface OpenStore {
  readonly store: Store & Intake & Watch & Outbox & ServerRecords;
  /** Who has the Jobs that are made: all runners on one store. */
  readonly installation: () => Promise<string>;
}

/** PostgreSQL where one is configured, else SQLite in the data folder. */
async function openStore(config: Config): Promise<OpenStore> {
  const { home, database } = config;
  if (database !== undefined) {
    const { openPostgresStore } = await import('./store/postgres/postgres-store.ts');
    const store = await openPostgresStore({ ...database, clock: systemClock, version: await readVersion() });
    // What the data folder says first: who was alone so far keeps the Jobs that are under way.
    return { store, installation: async () => store.installationId(await installationOf(config)) };
  }
  const [{ openSqliteStore }, { isAlive }] = await Promise.all([
    import('./store/sqlite/sqlite-store.ts'),
    import('./store/owner.ts'),
  ]);
  const store = await openSqliteStore({ file: join(home, 'sluice.db'), clock: systemClock, isAlive });
  return { store, installation: () => installationOf(config) };
}

async function installationOf({ home }: Config): Promise<string> {
  return (await import('./store/installation-id.ts')).installationId(home);
}

/** Logs of one machine are files alone: as blobs besides they would cost every step two syncs of the disk more. */
async function sharedWhereNeeded(files: FileLogs, blobs: Services['blobs'], config: Config): Promise<Logs> {
  if (config.database === undefined && config.bucket === undefined) return files;
  return (await import('./results/log/shared-logs.ts')).createSharedLogs(files, blobs);
}

/** A trial leaves nothing that has to outlive this process. */
async function tryStepOn(config: Config, environment: Environment): Promise<Trial> {
  const { tryStep } = await import('./executors/try-step.ts');
  const executor = await openExecutor(config, environment, {
    isOver: () => Promise.resolve(false),
    installation: () => installationOf(config),
  });
  try {
    return await tryStep(executor, 'base');
  } finally {
    await executor.close();
  }
}

interface KubernetesNeeds {
  readonly isOver: (key: AttemptKey) => Promise<boolean>;
  readonly installation: OpenStore['installation'];
}

function openExecutor(config: Config, environment: Environment, needs: KubernetesNeeds): Promise<Executor> {
  return config.executor === 'kubernetes' ? openKubernetes(config, needs) : openLocal(config, environment);
}

async function openLocal(config: Config, environment: Environment): Promise<Executor> {
  const [{ createLocalExecutor }, { baseEnvironment }, { environmentsOfSteps }] = await Promise.all([
    import('./executors/local/local-executor.ts'),
    import('./executors/local/base-environment.ts'),
    import('./open-environments.ts'),
  ]);
  return createLocalExecutor({
    folder: join(config.home, 'work'),
    cache: join(config.home, 'tools'),
    baseEnv: baseEnvironment(environment.variables),
    environments: environmentsOfSteps(config, environment),
  });
}

/** A run that nobody knows has no attempt to keep. */
async function isOver(engine: Engine, { runId, step, attempt }: AttemptKey): Promise<boolean> {
  try {
    const { phase, steps } = await engine.state(runId);
    return phase === 'finished' || steps.get(step)?.attempts[attempt - 1]?.finishedAt !== undefined;
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'ERR_NOT_FOUND') return true;
    throw error;
  }
}

async function openKubernetes(
  { cluster: config, backends, registries }: Config,
  { isOver: over, installation }: KubernetesNeeds,
): Promise<Executor> {
  const [{ createKubernetesExecutor }, { connectCluster }, { reachableAddress }] = await Promise.all([
    import('./executors/kubernetes/kubernetes-executor.ts'),
    import('./cluster/connect.ts'),
    import('./executors/kubernetes/reachable-address.ts'),
  ]);
  const owner = await installation();
  return createKubernetesExecutor({
    connect: () => connectCluster(config),
    settings: (cluster, port) => ({
      ...kubernetesDefaults,
      namespace: config.namespace === '' ? cluster.namespace : config.namespace,
      owner,
      agentImage: config.agentImage === '' ? ownImage(config.images, 'agent') : config.agentImage,
      images: config.images,
      agentUrl: config.agentUrl === '' ? `http://${reachableAddress()}:${port}` : config.agentUrl,
    }),
    listen: { host: '0.0.0.0', port: config.agentPort },
    isOver: over,
    ...(backends && { backends: await namespacesOf(placeOf(backends, { cluster: config, registries })) }),
  });
}

async function namespacesOf(place: BackendPlace): Promise<BackendNamespaces> {
  const { backendNamespaces } = await import('./environments/kubernetes/step-access.ts');
  return backendNamespaces(place);
}

/** Texts of the workflows that Sluice ships, by name. */
async function readGates(): Promise<ReadonlyMap<string, string>> {
  const folder = new URL('../workflows/', import.meta.url);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml'));
  return new Map(
    await Promise.all(
      files.map(async (file) => [file.replace(/\.yaml$/, ''), await readFile(new URL(file, folder), 'utf8')] as const),
    ),
  );
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  const description: unknown = JSON.parse(text);
  return typeof description === 'object' && description && 'version' in description
    ? String(description.version)
    : 'unknown';
}
