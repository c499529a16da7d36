import type { CallOptions, ClusterClient, Place } from './cluster-client.ts';
import { failedWith } from './cluster-error.ts';
import type { KubernetesObject } from './objects.ts';
import type { Resource } from './resources.ts';

/** The object, or undefined when the API server says that there is none. Other failures are thrown as by `get`. */
export async function find<T extends KubernetesObject>(
  cluster: ClusterClient,
  resource: Resource<T>,
  at: Place,
  options?: CallOptions,
): Promise<T | undefined> {
  try {
    return await cluster.get(resource, at, options);
  } catch (error) {
    if (failedWith(error, 'NotFound')) return undefined;
    throw error;
  }
}
