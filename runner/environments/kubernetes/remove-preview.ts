import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { find } from '../../cluster/find.ts';
import type { Draft, Job, KubernetesObject } from '../../cluster/objects.ts';
import {
  configMaps,
  deployments,
  httpRoutes,
  jobs,
  networkPolicies,
  secrets,
  services,
} from '../../cluster/resources.ts';
import type { PreviewName } from '../../model/backend.ts';
import { messageOf, SluiceError } from '../../model/errors.ts';
import { ownImage } from '../../model/own-images.ts';
import { dismissPreview, forgetPreview } from '../previews.ts';
import type { PreviewPlace } from '../previews.ts';
import { fenceRecord } from '../release.ts';
import { confinedJob } from './confined-job.ts';
import { userOf } from './database-objects.ts';
import { databaseName, databaseSecret, labels, managed } from './names.ts';
import { NamespaceRecords } from './namespace-records.ts';
import type { BackendPlace } from './place.ts';
import { displaced, runJob, taskLabels } from './run-task.ts';

const dropMs = 120_000;

/** See `PreviewPlace`. Traffic goes first, the credentials go after the database that they open. */
export async function removePreview(
  cluster: ClusterClient,
  preview: Parameters<PreviewPlace['remove']>[0],
  place: BackendPlace,
): Promise<boolean> {
  const { backend: namespace, environment } = preview;
  const records = new NamespaceRecords(cluster, namespace);
  if (!(await dismissPreview(records, preview))) return false;
  for (const resource of [httpRoutes, services, deployments, jobs] as const)
    await removeAll<KubernetesObject>(cluster, resource, namespace, environment);
  const name = databaseSecret('testing', 'admin');
  if (await find(cluster, secrets, { namespace, name })) await dropDatabase(cluster, namespace, environment, place);
  for (const resource of [secrets, networkPolicies] as const)
    await removeAll<KubernetesObject>(cluster, resource, namespace, environment);
  await cluster.delete(configMaps, { namespace, name: fenceRecord(environment) });
  await forgetPreview(records, environment);
  return true;
}

async function removeAll<T extends KubernetesObject>(
  cluster: ClusterClient,
  resource: Parameters<typeof cluster.list<T>>[0],
  namespace: string,
  environment: PreviewName,
): Promise<void> {
  const { items } = await cluster.list<T>(resource, {
    namespace,
    labelSelector: `${labels.environment}=${environment}`,
  });
  await Promise.all(items.map(({ metadata }) => cluster.delete(resource, { namespace, name: metadata.name })));
}

/** The server lets pods of its namespace in only, so that it is a Job that drops. Found by its name, one that was begun before is waited for. */
async function dropDatabase(
  cluster: ClusterClient,
  namespace: string,
  environment: PreviewName,
  place: BackendPlace,
): Promise<void> {
  const body = dropJob(environment, ownImage(place.images, 'postgres'));
  const { name } = body.metadata;
  const signal = AbortSignal.timeout(dropMs);
  const run = () => runJob(cluster, namespace, { name, group: name, signal }, body);
  const forget = () => cluster.delete(jobs, { namespace, name }, { propagation: 'Background' });
  try {
    let end = await run();
    // Another runner that sweeps may have taken it away, however it ended.
    for (; end === displaced; end = await run()) await forget();
    if (end.exitCode !== 0) throw new SluiceError('ERR_SERVICE', end.output);
  } catch (error) {
    const isKnown = error instanceof SluiceError || !signal.aborted;
    const why = isKnown ? messageOf(error) : `nothing came of it in ${dropMs / 1_000} s`;
    throw new SluiceError(
      'ERR_SERVICE',
      `the database of ${environment} in ${namespace} could not be dropped: ${why}`,
      {
        hint: `Look at the Job ${name} and at the pod of ${databaseName('testing')}; the preview is removed as soon as it can be.`,
        cause: error,
      },
    );
  } finally {
    await forget();
  }
}

const statements = [
  'DROP DATABASE IF EXISTS :"database" WITH (FORCE);',
  'DROP ROLE IF EXISTS :"app";',
  'DROP ROLE IF EXISTS :"migrator";',
];

/** It counts as a task of the testing environment, whose server it works on. */
function dropJob(environment: PreviewName, image: string): Draft<Job> {
  const [app, migrator] = (['app', 'migrator'] as const).map((role) => userOf(environment, role));
  const names = [`database=${environment}`, `app=${app ?? ''}`, `migrator=${migrator ?? ''}`];
  const command = ['psql', '-q', '-v', 'ON_ERROR_STOP=1', ...names.flatMap((name) => ['-v', name])];
  const name = `drop-${environment}`;
  return confinedJob({
    name,
    labels: { ...managed, [labels.environment]: 'testing', [labels.role]: 'task', ...taskLabels(name, name) },
    timeoutMs: dropMs,
    container: {
      name: 'task',
      image,
      // psql fills variables in what it reads, and not in what it is told by -c.
      command: ['sh', '-c', 'printf "%s\\n" "$STATEMENTS" | "$@"', 'sh', ...command],
      env: [
        { name: 'STATEMENTS', value: statements.join('\n') },
        { name: 'PGHOST', value: databaseName('testing') },
        { name: 'PGUSER', value: 'postgres' },
        { name: 'PGDATABASE', value: 'postgres' },
        {
          name: 'PGPASSWORD',
          valueFrom: { secretKeyRef: { name: databaseSecret('testing', 'admin'), key: 'password' } },
        },
      ],
    },
  });
}
