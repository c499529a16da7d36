import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupRow, ProductionDatabase, RestoreWish } from './cli/session.ts';
import type { Config } from './config/config.ts';
import type { Environment } from './config/environment.ts';
import type { Site } from './environments/site.ts';
import { readBackups } from './gates/backups.ts';
import type { OwnedBackend } from './model/backend.ts';
import { SluiceError } from './model/errors.ts';
import { inputVariable } from './model/operations.ts';
import { requiredPlace } from './open-backends.ts';

interface Surroundings {
  readonly config: Config;
  readonly environment: Environment;
  readonly version: string;
}

const operation = 'restore-production';

/** The production database of a backend, where steps run: on this machine, or on a cluster. ERR_NOT_FOUND when there is no such backend. */
export function openDatabase(backend: string, surroundings: Surroundings): Promise<ProductionDatabase> {
  const { executor } = surroundings.config;
  return executor === 'kubernetes' ? onCluster(backend, surroundings) : onThisMachine(backend, surroundings);
}

/** The operation runs in this process, with what the supervisor gives a step. */
async function onThisMachine(
  name: string,
  { config, environment, version }: Surroundings,
): Promise<ProductionDatabase> {
  const [{ environmentsOfSteps, folderOf }, { LocalSite }, { siteVariable }] = await Promise.all([
    import('./open-environments.ts'),
    import('./environments/local/local-site.ts'),
    import('./environments/operation-variables.ts'),
  ]);
  const owned = await ownedBackend(folderOf(config), name);
  const signal = AbortSignal.timeout(startMs);
  const { variables } = await environmentsOfSteps(config, environment).accessFor(owned, { operation }, signal);
  const site = new LocalSite(JSON.parse(variables[siteVariable] ?? '') as ConstructorParameters<typeof LocalSite>[0]);
  return {
    backups: () => rowsOf(site),
    restore: async (backup, wish) => {
      const { operate } = await import('./operate.ts');
      const all = { ...environment.variables, ...variables, ...variablesOf(backup, wish) };
      await operate(operation, { ...environment, variables: all }, version, wish.say);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const startMs = 120_000;

async function ownedBackend(folder: string, name: string): Promise<OwnedBackend> {
  try {
    return JSON.parse(await readFile(join(folder, 'backends', name, 'backend.json'), 'utf8')) as OwnedBackend;
  } catch (cause) {
    throw new SluiceError('ERR_NOT_FOUND', `there is no backend "${name}" on this machine`, {
      hint: '`sluice environments list` shows those that there are.',
      cause,
    });
  }
}

/** The operation runs as a Job beside the database, whose credentials stay in the namespace. */
async function onCluster(name: string, { config }: Surroundings): Promise<ProductionDatabase> {
  const place = requiredPlace(config);
  const [{ connectCluster }, { KubernetesBackends }, { runOperation }, { displaced }, { noBackend }] =
    await Promise.all([
      import('./cluster/connect.ts'),
      import('./environments/kubernetes/kubernetes-backends.ts'),
      import('./environments/kubernetes/run-operation.ts'),
      import('./environments/kubernetes/run-task.ts'),
      import('./environments/backends.ts'),
    ]);
  const cluster = await connectCluster(config.cluster);
  const backends = new KubernetesBackends(cluster, place);
  const backend = (await backends.find(name))?.backend;
  if (backend === undefined) {
    await cluster.close();
    throw noBackend(name);
  }
  const site = await backends.site(backend);
  return {
    backups: () => rowsOf(site),
    restore: async (backup, wish) => {
      const end = await runOperation(cluster, { kind: 'kubernetes', backend, place }, operation, {
        variables: variablesOf(backup, wish),
        signal: AbortSignal.timeout(longestMs),
        timeoutMs: longestMs,
      });
      if (end === displaced) throw unknownEnd(backup);
      if (end.output !== '') wish.say(end.output);
      if (end.exitCode !== 0) throw new SluiceError('ERR_GATE', `${backup} was not restored: production is as it was`);
    },
    [Symbol.asyncDispose]: () => cluster.close(),
  };
}

/** The swap may have been its last deed. */
function unknownEnd(backup: string): SluiceError {
  return new SluiceError(
    'ERR_SERVICE',
    `the pod that restored ${backup} was ended from outside: production is as it was, or it has the backup`,
    {
      hint: 'Look at the data, and restore it once more where they are not those of the backup: that loses nothing.',
    },
  );
}

const longestMs = 6 * 60 * 60_000;

function variablesOf(backup: string, { force }: RestoreWish): Readonly<Record<string, string>> {
  return {
    SLUICE_RUN: `restore-${randomUUID()}`,
    SLUICE_COMMIT: '',
    [inputVariable('backup')]: backup,
    [inputVariable('fit')]: force ? 'any' : 'tested',
  };
}

async function rowsOf(site: Site): Promise<readonly BackupRow[]> {
  const backups = await readBackups(site);
  return backups.map(({ name, takenAt, bytes, sha256, rows: counts }) => {
    let rows = 0;
    for (const count of Object.values(counts)) rows += count;
    return { name, takenAt, bytes, sha256, tables: Object.keys(counts).length, rows };
  });
}
