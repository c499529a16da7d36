import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { failedWith } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { Draft, KubernetesObject, Namespace } from '../../cluster/objects.ts';
import {
  limitRanges,
  namespaces,
  networkPolicies,
  persistentVolumeClaims,
  resourceQuotas,
  roleBindings,
  roles,
  serviceAccounts,
  services,
  statefulSets,
} from '../../cluster/resources.ts';
import type { Resource } from '../../cluster/resources.ts';
import type { Backend, OwnedBackend } from '../../model/backend.ts';
import { SluiceError } from '../../model/errors.ts';
import { ownImage } from '../../model/own-images.ts';
import { createMissing, newPassword } from './create-credentials.ts';
import { accountObjects } from './account-objects.ts';
import { backupsVolume, credentialsOf, databaseService, databaseSet } from './database-objects.ts';
import { limitRange, quota } from './limit-objects.ts';
import { fieldManager, managed, repositoryAnnotation } from './names.ts';
import { ensurePreview } from './ensure-preview.ts';
import { networkPoliciesOf } from './network-objects.ts';
import type { BackendPlace } from './place.ts';

const accountMs = 10_000;
const accountLookMs = 50;
const environments = ['testing', 'production'] as const;

/**
 * Brings the namespace of a backend to what it should be, whatever it is now, and leaves what others set: accounts, limits, policies,
 * databases, and the preview that the run is about. Does not wait until its pods run. ERR_CONFLICT when the namespace is somebody else's.
 */
export async function ensureBackend(
  cluster: ClusterClient,
  { backend, repository }: OwnedBackend,
  place: BackendPlace,
): Promise<void> {
  const namespace = backend.name;
  await claimNamespace(cluster, namespace, repository);
  const apply = async <T extends KubernetesObject>(
    resource: Resource<T>,
    bodies: readonly Draft<T>[],
  ): Promise<void> => {
    const each = bodies.map((body) =>
      cluster.apply(resource, { namespace, name: body.metadata.name }, body, { fieldManager, force: true }),
    );
    await Promise.all(each);
  };
  const accounts = accountObjects(namespace);
  await Promise.all([
    apply(resourceQuotas, [quota]),
    apply(limitRanges, [limitRange]),
    apply(networkPolicies, networkPoliciesOf(place.gateway.namespace)),
    apply(serviceAccounts, accounts.serviceAccounts),
    apply(roles, accounts.roles),
    apply(roleBindings, accounts.roleBindings),
    ensureCredentials(cluster, backend),
    awaitDefaultAccount(cluster, namespace),
  ]);
  if (backend.preview !== undefined) await ensurePreview(cluster, backend, backend.preview, place);
  if (backend.database === undefined) return;
  await apply(services, environments.map(databaseService));
  await apply(persistentVolumeClaims, [backupsVolume]);
  await apply(
    statefulSets,
    environments.map((environment) => databaseSet(environment, ownImage(place.images, 'postgres'))),
  );
}

/** Kubernetes makes it a moment after the namespace; pods that come before it are refused, and tried again much later. */
async function awaitDefaultAccount(cluster: ClusterClient, namespace: string): Promise<void> {
  const deadline = performance.now() + accountMs;
  while (performance.now() < deadline) {
    if (await find(cluster, serviceAccounts, { namespace, name: 'default' })) return;
    await sleep(accountLookMs);
  }
}

/** Only a namespace that Sluice made for this repository is taken: a file may name any, `kube-system` too. */
async function claimNamespace(cluster: ClusterClient, name: string, repository: string): Promise<void> {
  const found = (await find(cluster, namespaces, { name })) ?? (await createNamespace(cluster, name, repository));
  const { labels = {}, annotations = {}, deletionTimestamp } = found.metadata;
  if (labels['app.kubernetes.io/managed-by'] !== 'sluice') {
    throw new SluiceError('ERR_CONFLICT', `the namespace "${name}" was not made by Sluice`, {
      hint: 'Choose another `backend.name`, or delete the namespace.',
    });
  }
  if (annotations[repositoryAnnotation] !== repository) {
    throw new SluiceError('ERR_CONFLICT', `the backend "${name}" belongs to another repository`, {
      hint: 'Choose another `backend.name`.',
    });
  }
  if (deletionTimestamp !== undefined) {
    throw new SluiceError('ERR_CONFLICT', `the namespace "${name}" is being deleted`, {
      hint: 'Wait until it is gone.',
    });
  }
}

async function createNamespace(cluster: ClusterClient, name: string, repository: string): Promise<Namespace> {
  const body: Draft<Namespace> = {
    metadata: {
      name,
      labels: { ...managed, 'pod-security.kubernetes.io/enforce': 'restricted' },
      annotations: { [repositoryAnnotation]: repository },
    },
  };
  try {
    return await cluster.create(namespaces, {}, body);
  } catch (error) {
    if (failedWith(error, 'AlreadyExists')) return cluster.get(namespaces, { name });
    throw error;
  }
}

async function ensureCredentials(cluster: ClusterClient, { name: namespace, database }: Backend): Promise<void> {
  if (database === undefined) return;
  const wanted = environments.flatMap((environment) => credentialsOf(environment, newPassword));
  await createMissing(cluster, namespace, wanted);
}
