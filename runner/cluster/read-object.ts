import type { Json } from '../model/json.ts';
import type { Call } from './call.ts';
import { ClusterError } from './cluster-error.ts';
import type { Page } from './list-pages.ts';
import type { KubernetesObject } from './objects.ts';
import type { Resource } from './resources.ts';

/** `undefined` for text that is no JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

export function readObject<T extends KubernetesObject>(resource: Resource<T>, call: Call, text: string): T {
  const value: unknown = parseJson(text);
  if (isObject(value)) return trusted(resource, value);
  throw unreadable(call, text);
}

export function readList<T extends KubernetesObject>(resource: Resource<T>, call: Call, text: string): Page<T> {
  const value: unknown = parseJson(text);
  if (!isRecord(value) || !isRecord(value['metadata'])) throw unreadable(call, text);
  const { items, metadata } = value;
  const resourceVersion = metadata['resourceVersion'];
  const token = metadata['continue'];
  if (typeof resourceVersion !== 'string' || !(items === null || Array.isArray(items))) throw unreadable(call, text);
  const objects: readonly unknown[] = items ?? [];
  return {
    items: objects.filter(isObject).map((item) => trusted(resource, item)),
    resourceVersion,
    continueToken: typeof token === 'string' ? token : '',
  };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Has the fields by which objects are told apart and put in order. */
export function isObject(value: unknown): value is KubernetesObject {
  if (!isRecord(value) || !isRecord(value['metadata'])) return false;
  const { name, resourceVersion } = value['metadata'];
  return typeof name === 'string' && typeof resourceVersion === 'string';
}

/** The API server keeps each object to the schema of its kind, so here, and only here, its word is taken for the type. */
export function trusted<T extends KubernetesObject>(_resource: Resource<T>, object: KubernetesObject): T {
  return object as T;
}

export function unreadable(call: Call, text: string): ClusterError {
  const outcome = call.method === 'GET' ? 'refused' : 'unknown';
  return new ClusterError(`${call.title}: the answer is no Kubernetes object (${text.length} characters)`, {
    status: 200,
    reason: 'Unreadable',
    outcome,
  });
}
