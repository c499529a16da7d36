import type { ClusterClient, Watch } from '../../cluster/cluster-client.ts';
import type { Pod } from '../../cluster/objects.ts';
import { pods } from '../../cluster/resources.ts';
import { labels } from './job-spec.ts';

/** A pod as it was last seen. */
export interface KnownPod {
  readonly pod: Pod;
  /** It is not there any more; `pod` is its last state. */
  readonly gone: boolean;
}

/** The pods of this installation as the cluster shows them, in one watch for all attempts. */
export class PodBook {
  readonly #cluster: ClusterClient;
  readonly #namespace: string;
  readonly #selector: string;
  readonly #pods = new Map<string, Map<string, KnownPod>>();
  readonly #waiters = new Map<string, PromiseWithResolvers<undefined>>();
  readonly #forgotten = new Set<string>();
  readonly #closing = new AbortController();
  #watching: Promise<void> | undefined;
  #watch: Watch<Pod> | undefined;
  #isComplete = false;

  constructor(cluster: ClusterClient, namespace: string, owner: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#selector = `${labels.owner}=${owner}`;
  }

  open(): void {
    this.#watching ??= this.#follow();
  }

  /** Whether the pods that there are were all seen once: only then one that is missing is gone. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** When the API server was heard last, 0 for never: what is known is not newer. */
  get toldAt(): number {
    return this.#watch?.lastContact ?? 0;
  }

  /**
   * The pod that came first for a Job, or the one that is on record for it. Kubernetes may make a second one (Job
   * documentation), and an earlier Job of the same name may have had others; nothing of those counts.
   */
  podOf(job: string, jobUid: string, uid: string | undefined): KnownPod | undefined {
    const known = [...(this.#pods.get(job)?.values() ?? [])].filter(({ pod }) => belongsTo(pod, jobUid));
    if (uid !== undefined) return known.find(({ pod }) => pod.metadata.uid === uid);
    return known.toSorted((a, b) => bornAt(a) - bornAt(b))[0];
  }

  /** Pods that are there and that nobody has asked to go. */
  staying(): readonly Pod[] {
    const all = [...this.#pods.values()].flatMap((known) => [...known.values()]);
    return all.filter(({ pod, gone }) => !gone && pod.metadata.deletionTimestamp === undefined).map(({ pod }) => pod);
  }

  /** Settles when something changes about the pods of a Job. */
  async changed(job: string): Promise<void> {
    const waiter = this.#waiters.get(job) ?? Promise.withResolvers<undefined>();
    this.#waiters.set(job, waiter);
    await waiter.promise;
  }

  /** Nobody asks for the pods of a Job any more: they are known until they are gone. */
  forget(job: string): void {
    this.#forgotten.add(job);
    this.#waiters.delete(job);
    if (this.#pods.has(job)) this.#drop(job);
  }

  /** There may be another Job of that name. */
  remember(job: string): void {
    this.#forgotten.delete(job);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#watching;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    const at = { namespace: this.#namespace, labelSelector: this.#selector };
    this.#watch = this.#cluster.watch(pods, at, { signal });
    for await (const event of this.#watch) {
      if (event.type === 'listed') this.#list(event.items);
      else this.#note(event.object, event.type === 'deleted');
    }
  }

  /** What is not in the list any more is gone, whether or not its end was seen. */
  #list(items: readonly Pod[]): void {
    const present = new Set(items.map(({ metadata }) => metadata.uid));
    for (const known of this.#pods.values()) {
      for (const [uid, { pod, gone }] of known) if (!gone && !present.has(uid)) this.#note(pod, true);
    }
    for (const pod of items) this.#note(pod, false);
    if (this.#isComplete) return;
    this.#isComplete = true;
    for (const waiter of this.#waiters.values()) waiter.resolve(undefined);
    this.#waiters.clear();
  }

  #note(pod: Pod, gone: boolean): void {
    const job = pod.metadata.labels?.[labels.attempt];
    const { uid } = pod.metadata;
    if (job === undefined) return;
    const known = this.#pods.get(job) ?? new Map<string, KnownPod>();
    known.set(uid, { pod, gone });
    this.#pods.set(job, known);
    if (this.#forgotten.has(job)) this.#drop(job);
    this.#waiters.get(job)?.resolve(undefined);
    this.#waiters.delete(job);
  }

  #drop(job: string): void {
    const known = this.#pods.get(job) ?? new Map<string, KnownPod>();
    for (const [uid, { gone }] of known) if (gone) known.delete(uid);
    if (known.size > 0) return;
    this.#pods.delete(job);
    this.#forgotten.delete(job);
  }
}

function belongsTo({ metadata: { ownerReferences = [] } }: Pod, jobUid: string): boolean {
  return ownerReferences.some(({ uid }) => uid === jobUid);
}

function bornAt({ pod }: KnownPod): number {
  return Date.parse(pod.metadata.creationTimestamp);
}
