import type { ClusterClient } from '../../../runner/cluster/cluster-client.ts';
import type { Condition, Draft, KubernetesObject } from '../../../runner/cluster/objects.ts';
import type { Resource } from '../../../runner/cluster/resources.ts';

const round = 'bench.sluice.dev/round';
const deadlineMs = 300_000;

export interface Timed<T extends KubernetesObject> {
  readonly resource: Resource<T>;
  readonly namespace: string;
  /** Objects of one kind, with names of their own. They are created at once unless each is to wait for the end of the one before. */
  readonly objects: readonly Draft<T>[];
  readonly inTurn?: boolean;
  /** Whether that is the good end of the object. Throws at a bad one. */
  readonly hasEnded: (object: T) => boolean;
}

/** What an object says of its own end. */
export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
}

/** Milliseconds from the first create until a watch has shown the last of the objects at its end; then they are deleted. */
export async function timeObjects<T extends KubernetesObject>(
  cluster: ClusterClient,
  timed: Timed<T>,
): Promise<number> {
  const { resource, namespace, objects, inTurn = false, hasEnded } = timed;
  const value = objects[0]?.metadata.name ?? '';
  const waiters = new Map(objects.map(({ metadata }) => [metadata.name, Promise.withResolvers<undefined>()]));
  const listed = Promise.withResolvers<undefined>();
  const ending = new AbortController();
  const follow = async (): Promise<never> => {
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(deadlineMs)]);
    for await (const event of cluster.watch(resource, { namespace, labelSelector: `${round}=${value}` }, { signal })) {
      if (event.type === 'listed') listed.resolve(undefined);
      for (const object of event.type === 'listed' ? event.items : [event.object]) {
        if (hasEnded(object)) waiters.get(object.metadata.name)?.resolve(undefined);
      }
    }
    throw new Error(`${resource.kind} ${value} did not end in ${deadlineMs / 1000} s`);
  };
  const act = async (): Promise<number> => {
    await listed.promise;
    const start = performance.now();
    const create = async (object: Draft<T>): Promise<void> => {
      const metadata = { ...object.metadata, labels: { ...object.metadata.labels, [round]: value } };
      await cluster.create(resource, { namespace }, { ...object, metadata });
      await waiters.get(metadata.name)?.promise;
    };
    if (inTurn) for (const object of objects) await create(object);
    else await Promise.all(objects.map(create));
    return performance.now() - start;
  };
  const following = follow();
  try {
    return await Promise.race([act(), following]);
  } finally {
    ending.abort();
    await following.catch(() => undefined);
    await Promise.all(objects.map(({ metadata: { name } }) => cluster.delete(resource, { namespace, name })));
  }
}
