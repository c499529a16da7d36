import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { find } from '../../cluster/find.ts';
import type { Draft, KubernetesObject, Namespace, OtherObject, ResourceQuota } from '../../cluster/objects.ts';
import {
  limitRanges,
  namespaces,
  networkPolicies,
  resourceQuotas,
  roleBindings,
  roles,
} from '../../cluster/resources.ts';
import type { Resource } from '../../cluster/resources.ts';
import type { Backend } from '../../model/backend.ts';
import { SluiceError } from '../../model/errors.ts';
import type { GateAccount } from '../../model/operations.ts';
import { tasks } from './account-objects.ts';
import { beingDeleted, createNamespace } from './backend-namespace.ts';
import { fieldManager, managed } from './names.ts';
import type { BackendPlace } from './place.ts';

/** The one gate that makes images. */
const account: GateAccount = 'deploy-test';

/** Of the namespace: the backend whose images are built in it. */
const builtLabel = 'sluice.dev/builds-of';

/** `tasks-build`: a namespace of its own, since what builds may more than `restricted`, which all else of a backend is. */
export function buildNamespace(backend: string): string {
  return `${backend}-build`;
}

/** Whether any image of a backend is made by a build. */
export function isBuilt({ services }: Pick<Backend, 'services'>): boolean {
  return services.some(({ containerfile }) => containerfile !== undefined);
}

/**
 * Brings the namespace about in which the images of a backend are built: nobody reaches its pods, they have no token, and `deploy-test` of the backend alone may make Jobs
 * there. It belongs to the namespace of the backend and goes with it. ERR_CONFLICT when it is somebody else's.
 */
export async function ensureBuilds(
  cluster: ClusterClient,
  backend: Namespace,
  level: NonNullable<BackendPlace['builds']>,
): Promise<void> {
  const namespace = buildNamespace(backend.metadata.name);
  await claim(cluster, namespaceFor(backend, level));
  const apply = <T extends KubernetesObject>(resource: Resource<T>, body: Draft<T>) =>
    cluster.apply(resource, { namespace, name: body.metadata.name }, body, { fieldManager, force: true });
  await Promise.all([
    apply(resourceQuotas, quota),
    apply(limitRanges, limits),
    apply(networkPolicies, outwards),
    apply(roles, role),
    apply(roleBindings, bindingFor(backend.metadata.name)),
  ]);
}

async function claim(cluster: ClusterClient, body: Draft<Namespace>): Promise<void> {
  const { name } = body.metadata;
  const found = (await find(cluster, namespaces, { name })) ?? (await createNamespace(cluster, body));
  const { labels: given = {}, deletionTimestamp } = found.metadata;
  if (given[builtLabel] !== body.metadata.labels?.[builtLabel]) {
    throw new SluiceError(
      'ERR_CONFLICT',
      `the namespace "${name}", which images are to be built in, is somebody else's`,
      {
        hint: 'Choose another `backend.name`, or delete the namespace.',
      },
    );
  }
  if (deletionTimestamp !== undefined) throw beingDeleted(name);
  await cluster.apply(namespaces, { name }, body, { fieldManager, force: true });
}

function namespaceFor({ metadata: { name, uid } }: Namespace, level: string): Draft<Namespace> {
  return {
    metadata: {
      name: buildNamespace(name),
      labels: { ...managed, [builtLabel]: name, 'pod-security.kubernetes.io/enforce': level },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name, uid }],
    },
  };
}

/** Of each. */
export const buildMemory = '4Gi';

/** Builds come one after the other but for those of previews. */
const quota: Draft<ResourceQuota> = {
  metadata: { name: 'builds', labels: managed },
  spec: { hard: { pods: '20', 'limits.memory': '64Gi', services: '0', persistentvolumeclaims: '0' } },
};

const limits: Draft<OtherObject> = {
  metadata: { name: 'defaults', labels: managed },
  spec: {
    limits: [{ type: 'Container', defaultRequest: { cpu: '100m', memory: '256Mi' }, default: { memory: buildMemory } }],
  },
};

/** Builds fetch images and packages, as steps do; nobody reaches them. */
const outwards: Draft<OtherObject> = {
  metadata: { name: 'builds', labels: managed },
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'], egress: [{}] },
};

const role: Draft<OtherObject> = { metadata: { name: account, labels: managed }, rules: tasks };

function bindingFor(backend: string): Draft<OtherObject> {
  return {
    metadata: { name: account, labels: managed },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: account },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: backend }],
  };
}
