import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { failedWith } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { Condition, Draft, Namespace } from '../../cluster/objects.ts';
import { namespaces } from '../../cluster/resources.ts';
import type { Backend, OwnedBackend } from '../../model/backend.ts';
import { SluiceError } from '../../model/errors.ts';
import { canonicalJson } from '../../model/json.ts';
import type { Json } from '../../model/json.ts';
import type { KnownBackend } from '../backends.ts';
import {
  backendAnnotation,
  deletionAnnotation,
  fieldManager,
  labels,
  managed,
  protectionAnnotation,
  repositoryAnnotation,
} from './names.ts';

/** What the API server takes for all annotations of an object together is 256 KiB. */
const mostBytes = 200_000;

/**
 * Takes the name of a namespace for a repository, and notes on it what the backend is: no account within the namespace can change that. Only one that Sluice made
 * for this repository is taken: a file may name any, `kube-system` too. ERR_CONFLICT otherwise.
 */
export async function claimNamespace(
  cluster: ClusterClient,
  { backend, repository }: OwnedBackend,
  isProtected = true,
): Promise<Namespace> {
  const { name } = backend;
  const body = namespaceOf({ backend, repository });
  const protection = isProtected ? {} : { [protectionAnnotation]: 'false' };
  const marked = { metadata: { ...body.metadata, annotations: { ...body.metadata.annotations, ...protection } } };
  const found = (await find(cluster, namespaces, { name })) ?? (await createNamespace(cluster, marked));
  const { labels: given = {}, annotations = {}, deletionTimestamp } = found.metadata;
  if (given[labels.managedBy] !== 'sluice') {
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
    throw beingDeleted(name);
  }
  // With its uid, so that one which somebody else makes in its place is not taken.
  const { uid } = found.metadata;
  const claim = { ...body, metadata: { ...body.metadata, uid } };
  try {
    return await cluster.apply(namespaces, { name }, claim, { fieldManager, force: true });
  } catch (error) {
    throw failedWith(error, 'Conflict') ? beingDeleted(name, error) : error;
  }
}

/** ERR_CONFLICT for what cannot be made because the end of the namespace has begun. */
export function beingDeleted(name: string, cause?: unknown): SluiceError {
  return new SluiceError('ERR_CONFLICT', `the namespace "${name}" is being deleted`, {
    hint: 'Wait until it is gone.',
    cause,
  });
}

/** The namespace of a backend as Sluice applies it. ERR_LIMIT for a description that no annotation holds. */
export function namespaceOf({ backend, repository }: OwnedBackend): Draft<Namespace> {
  // Another order of its keys, as it comes out of a plan, is no other description.
  const description = canonicalJson(backend as unknown as Json);
  if (Buffer.byteLength(description) > mostBytes) {
    throw new SluiceError('ERR_LIMIT', `the description of the backend "${backend.name}" has more than 200 kB`, {
      hint: 'Shorten the values in `env` of its services.',
    });
  }
  return {
    metadata: {
      name: backend.name,
      labels: { ...managed, 'pod-security.kubernetes.io/enforce': 'restricted' },
      annotations: { [repositoryAnnotation]: repository, [backendAnnotation]: description },
    },
  };
}

/** The backend of a namespace; undefined for one that Sluice did not make for a repository. */
export function backendOf({ metadata, status }: Namespace): KnownBackend | undefined {
  const { name, labels: given = {}, annotations = {}, creationTimestamp, deletionTimestamp } = metadata;
  const repository = annotations[repositoryAnnotation];
  if (given[labels.managedBy] !== 'sluice' || repository === undefined) return undefined;
  const description = annotations[backendAnnotation];
  const due = annotations[deletionAnnotation];
  return {
    // One of an earlier version is described by its next run.
    backend: { services: [], ...describedBy(description), name },
    repository,
    createdAt: Date.parse(creationTimestamp),
    isProtected: annotations[protectionAnnotation] !== 'false',
    ...(due !== undefined && { deleteAt: Date.parse(due) }),
    isEnding: deletionTimestamp !== undefined,
    ...obstacleOf(status?.conditions),
  };
}

/** What Sluice wrote. A text that somebody else put there holds up neither this backend nor the list of all. */
function describedBy(description = '{}'): Partial<Backend> {
  try {
    const described: unknown = JSON.parse(description);
    return typeof described === 'object' &&
      described !== null &&
      Array.isArray((described as Partial<Backend>).services)
      ? described
      : {};
  } catch {
    return {};
  }
}

/** The namespace controller tells what is left, and what it failed at; while all goes well it tells so, too, as False. */
function obstacleOf(conditions: readonly Condition[] = []): Pick<KnownBackend, 'obstacle'> {
  const told = conditions.flatMap(({ status, message }) => (status === 'True' ? (message ?? []) : []));
  return told.length === 0 ? {} : { obstacle: told.join('; ') };
}

/** Answers the one of that name that somebody else was quicker to make, too. */
export async function createNamespace(cluster: ClusterClient, body: Draft<Namespace>): Promise<Namespace> {
  try {
    return await cluster.create(namespaces, {}, body);
  } catch (error) {
    if (failedWith(error, 'AlreadyExists')) return cluster.get(namespaces, { name: body.metadata.name });
    throw error;
  }
}
