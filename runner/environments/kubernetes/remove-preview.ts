import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { failedWith } from '../../cluster/cluster-error.ts';
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
import { SluiceError } from '../../model/errors.ts';
import { ownImage } from '../../model/own-images.ts';
import { dismissPreview, forgetPreview } from '../previews.ts';
import type { PreviewPlace } from '../previews.ts';
import { fenceRecord } from '../release.ts';
import { confinedJob } from './confined-job.ts';
import { userOf } from './database-objects.ts';
import { databaseName, databaseSecret, labels, managed } from './names.ts';
import { NamespaceRecords } from './namespace-records.ts';
import type { BackendPlace } from './place.ts';

const dropMs = 120_000;
const lookMs = 250;

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
  const at = { namespace, name: body.metadata.name };
  const deadline = performance.now() + dropMs;
  for (;;) {
    // Another runner that sweeps may have taken it away, however it ended.
    const job = (await find(cluster, jobs, at)) ?? (await create(cluster, namespace, body));
    const { conditions = [] } = job?.status ?? {};
    const end = conditions.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
    const isLate = performance.now() > deadline;
    if (end !== undefined || isLate) await cluster.delete(jobs, at, { propagation: 'Background' });
    if (end?.type === 'Complete') return;
    if (end !== undefined || isLate) {
      throw new SluiceError('ERR_SERVICE', `the database of ${environment} in ${namespace} could not be dropped`, {
        hint: `Look at the pod of ${databaseName('testing')}; it is tried again.`,
      });
    }
    await sleep(lookMs);
  }
}

/** Undefined where another runner was quicker. */
async function create(cluster: ClusterClient, namespace: string, body: Draft<Job>): Promise<Job | undefined> {
  return cluster.create(jobs, { namespace }, body).catch((error: unknown) => {
    if (!failedWith(error, 'AlreadyExists')) throw error;
    return undefined;
  });
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
  return confinedJob({
    name: `drop-${environment}`,
    labels: { ...managed, [labels.environment]: 'testing', [labels.role]: 'task' },
    timeoutMs: dropMs,
    container: {
      name: 'drop',
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
