import type { ClusterClient, Place } from '../../cluster/cluster-client.ts';
import { failedWith } from '../../cluster/cluster-error.ts';
import type { StatusCause } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { Draft, KubernetesObject } from '../../cluster/objects.ts';
import type { Resource } from '../../cluster/resources.ts';
import type { Json } from '../../model/json.ts';
import type { Drift } from '../backends.ts';
import type { DesiredObject } from './backend-objects.ts';
import { fenceAnnotation, fieldManager } from './names.ts';

/** A field whose value another manager has set. */
interface Conflict {
  readonly field: string;
  readonly manager: string;
}

type Part = Readonly<Record<string, Json>>;

/**
 * What of the objects in a namespace is missing or otherwise than Sluice applies it, by dry runs of server-side apply: what would change by force is drift, and who
 * has set it says the conflict without force (kubernetes.io, "Server-Side Apply", "Conflicts").
 */
export async function findDrift(
  cluster: ClusterClient,
  namespace: string,
  desired: readonly DesiredObject[],
): Promise<readonly Drift[]> {
  const found = await Promise.all(
    desired.map(({ resource, body }) => {
      const name = body.metadata.name;
      return driftOf(cluster, resource, resource.namespaced ? { namespace, name } : { name }, body);
    }),
  );
  return found.flat();
}

async function driftOf(
  cluster: ClusterClient,
  resource: Resource<KubernetesObject>,
  at: Place,
  body: Draft<KubernetesObject>,
): Promise<readonly Drift[]> {
  const object = `${resource.kind}/${at.name}`;
  try {
    let present: KubernetesObject | undefined;
    let wanted: KubernetesObject;
    // A dry run answers the version it began from: what others wrote since the first look is no drift, such as the volume of a new claim.
    do {
      present = await find(cluster, resource, at);
      if (present === undefined || present.metadata.deletionTimestamp !== undefined)
        return [{ object, kind: 'missing' }];
      wanted = await cluster.apply(resource, at, body, { fieldManager, force: true, dryRun: true });
    } while (wanted.metadata.resourceVersion !== present.metadata.resourceVersion);
    const differences = differencesOf('', comparable(present), comparable(wanted));
    if (differences.length === 0) return [];
    const conflicts = await conflictsOf(cluster, resource, at, body);
    return differences.map((difference) => ({ object, kind: 'changed', ...difference, ...by(conflicts, difference) }));
  } catch (error) {
    // What cannot be changed any more, such as a selector, has to be deleted and made anew.
    if (!failedWith(error, 'Invalid')) throw error;
    return fieldsOf(error.causes).map((field) => ({ object, kind: 'changed', field }));
  }
}

async function conflictsOf(
  cluster: ClusterClient,
  resource: Resource<KubernetesObject>,
  at: Place,
  body: Draft<KubernetesObject>,
): Promise<readonly Conflict[]> {
  try {
    await cluster.apply(resource, at, body, { fieldManager, dryRun: true });
    return [];
  } catch (error) {
    if (failedWith(error, 'Conflict')) return error.causes.flatMap(readConflict);
    throw error;
  }
}

/** `conflict with "kubectl-edit" using apps/v1`: structured-merge-diff has no other place for the manager. */
function readConflict({ field, message = '' }: StatusCause): readonly Conflict[] {
  const manager = /^conflict with "((?:[^"\\]|\\.)*)"/.exec(message)?.[1];
  return field === undefined || manager === undefined ? [] : [{ field, manager }];
}

/** A conflict may name a field with all that is in it, or one that is deeper than what we compare by. */
function by(conflicts: readonly Conflict[], { field = '' }: Pick<Drift, 'field'>): Pick<Drift, 'manager'> {
  const found =
    conflicts.find((one) => one.field.startsWith(field) || field.startsWith(one.field)) ??
    // Items of lists are called by their keys there, and by their names or places here.
    conflicts.find((one) => trunkOf(one.field) === trunkOf(field));
  return found === undefined ? {} : { manager: found.manager };
}

function trunkOf(field: string): string {
  return field.replace(/\[.*$/, '');
}

function fieldsOf(causes: readonly StatusCause[]): readonly string[] {
  const fields = causes.flatMap(({ field }) => (field === undefined ? [] : [`.${field}`]));
  return fields.length === 0 ? ['.'] : fields;
}

/** The part of an object that somebody means; the rest is the server's. */
function comparable(object: KubernetesObject): Part {
  const { metadata, ...rest } = object as unknown as Part & { readonly metadata: Part };
  const meant = Object.entries(rest).filter(([name]) => !['apiVersion', 'kind', 'status'].includes(name));
  const annotations = Object.entries((metadata['annotations'] ?? {}) as Part).filter(
    // It belongs to whoever moves traffic.
    ([name]) => name !== fenceAnnotation,
  );
  return {
    metadata: { labels: metadata['labels'] ?? {}, annotations: Object.fromEntries(annotations) },
    ...Object.fromEntries(meant),
  };
}

type Difference = Pick<Drift, 'is' | 'shouldBe'> & { readonly field: string };

function differencesOf(field: string, is: Json | undefined, shouldBe: Json | undefined): readonly Difference[] {
  if (isPart(is) && isPart(shouldBe)) {
    const names = new Set([...Object.keys(is), ...Object.keys(shouldBe)]);
    return [...names].flatMap((name) => differencesOf(`${field}.${name}`, is[name], shouldBe[name]));
  }
  if (Array.isArray(is) && Array.isArray(shouldBe) && is.length === shouldBe.length) {
    return shouldBe.flatMap((item: Json, index) =>
      differencesOf(`${field}${keyOf(item, index)}`, is[index] as Json, item),
    );
  }
  if (JSON.stringify(is) === JSON.stringify(shouldBe)) return [];
  return [{ field, ...(is !== undefined && { is }), ...(shouldBe !== undefined && { shouldBe }) }];
}

function keyOf(item: Json, index: number): string {
  const name = isPart(item) ? item['name'] : undefined;
  return typeof name === 'string' ? `[name=${JSON.stringify(name)}]` : `[${index}]`;
}

function isPart(value: Json | undefined): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
