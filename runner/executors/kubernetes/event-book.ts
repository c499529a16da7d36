import type { ClusterClient } from '../../cluster/cluster-client.ts';
import type { CoreEvent } from '../../cluster/objects.ts';
import { events } from '../../cluster/resources.ts';

interface Told {
  readonly events: Map<string, CoreEvent>;
  news: PromiseWithResolvers<undefined>;
}

/**
 * What Kubernetes warns of about Jobs and their pods, in one watch of a namespace for all attempts, from the first that asks on. To list the
 * events of one object, the API server reads all that the namespace has: it keeps no index of them, and no cache.
 */
export class EventBook {
  readonly #cluster: ClusterClient;
  readonly #namespace: string;
  readonly #told = new Map<string, Told>();
  readonly #closing = new AbortController();
  readonly #known = Promise.withResolvers<undefined>();
  #watching: Promise<void> | undefined;

  constructor(cluster: ClusterClient, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
  }

  /** Settles when what was told until now is known. */
  async open(): Promise<void> {
    this.#watching ??= this.#follow();
    await this.#known.promise;
  }

  /** What is told of a Job and its pods is kept from now on. */
  remember(job: string): void {
    if (!this.#told.has(job)) this.#told.set(job, { events: new Map(), news: Promise.withResolvers() });
  }

  forget(job: string): void {
    this.#told.delete(job);
  }

  of(job: string): readonly CoreEvent[] {
    return [...(this.#told.get(job)?.events.values() ?? [])];
  }

  /** Settles when something is told of a Job that is remembered. Who waits goes with what is forgotten, since of most Jobs nothing is ever told. */
  async changed(job: string): Promise<void> {
    await (this.#told.get(job)?.news ?? Promise.withResolvers()).promise;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#watching;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    const at = { namespace: this.#namespace, fieldSelector: 'type=Warning' };
    for await (const event of this.#cluster.watch(events, at, { signal })) {
      // An event that is too old to be kept was true all the same.
      if (event.type === 'listed') event.items.forEach((item) => this.#note(item));
      else if (event.type === 'changed') this.#note(event.object);
      if (event.type === 'listed') this.#known.resolve(undefined);
    }
  }

  #note(event: CoreEvent): void {
    const told = this.#told.get(jobOf(event));
    if (told === undefined) return;
    told.events.set(event.metadata.uid, event);
    told.news.resolve(undefined);
    told.news = Promise.withResolvers();
  }
}

/** The name of a pod is that of its Job and a few letters. */
function jobOf({ involvedObject: { kind, name = '' } }: CoreEvent): string {
  return kind === 'Pod' ? name.slice(0, name.lastIndexOf('-')) : name;
}
