import type {
  ConfigMap,
  CoreEvent,
  Job,
  KubernetesObject,
  Namespace,
  Node,
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
export const jobs: Resource<Job> = { apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', namespaced: true };

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
