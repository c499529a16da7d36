import type {
  ConfigMap,
  CoreEvent,
  Deployment,
  HttpRoute,
  Job,
  KubernetesObject,
  Namespace,
  Node,
  OtherObject,
  Pod,
  ResourceQuota,
  Secret,
  Service,
} from './objects.ts';

/** A kind of object: where the API server keeps it, and which type comes back. */
export interface Resource<T extends KubernetesObject> {
  /** `v1`, or group and version as in `batch/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never there; it binds the type to the value. */
  readonly object?: T;
}

const core = <T extends KubernetesObject>(kind: string, plural: string, namespaced = true): Resource<T> => ({
  apiVersion: 'v1',
  kind,
  plural,
  namespaced,
});

export const pods = core<Pod>('Pod', 'pods');
export const secrets = core<Secret>('Secret', 'secrets');
export const configMaps = core<ConfigMap>('ConfigMap', 'configmaps');
export const services = core<Service>('Service', 'services');
export const events = core<CoreEvent>('Event', 'events');
export const resourceQuotas = core<ResourceQuota>('ResourceQuota', 'resourcequotas');
export const nodes = core<Node>('Node', 'nodes', false);
export const namespaces = core<Namespace>('Namespace', 'namespaces', false);
const grouped = <T extends KubernetesObject>(apiVersion: string, kind: string, plural: string): Resource<T> => ({
  apiVersion,
  kind,
  plural,
  namespaced: true,
});

export const jobs = grouped<Job>('batch/v1', 'Job', 'jobs');
export const deployments = grouped<Deployment>('apps/v1', 'Deployment', 'deployments');
export const statefulSets = grouped<OtherObject>('apps/v1', 'StatefulSet', 'statefulsets');
export const httpRoutes = grouped<HttpRoute>('gateway.networking.k8s.io/v1', 'HTTPRoute', 'httproutes');
export const networkPolicies = grouped<OtherObject>('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies');
export const roles = grouped<OtherObject>('rbac.authorization.k8s.io/v1', 'Role', 'roles');
export const roleBindings = grouped<OtherObject>('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings');
export const serviceAccounts = core<OtherObject>('ServiceAccount', 'serviceaccounts');
export const persistentVolumeClaims = core<OtherObject>('PersistentVolumeClaim', 'persistentvolumeclaims');
export const limitRanges = core<OtherObject>('LimitRange', 'limitranges');

/** The path of a collection or, with a name, of one object. `part` is a subresource such as `status` or `log`. */
export function pathOf(
  resource: Resource<KubernetesObject>,
  at: { readonly namespace?: string | undefined; readonly name?: string; readonly part?: string },
): string {
  const root = resource.apiVersion.includes('/') ? `/apis/${resource.apiVersion}` : `/api/${resource.apiVersion}`;
  const inside = resource.namespaced && at.namespace !== undefined ? ['namespaces', at.namespace] : [];
  const parts = [...inside, resource.plural, at.name, at.part].filter((part) => part !== undefined);
  return [root, ...parts.map(encodeURIComponent)].join('/');
}
