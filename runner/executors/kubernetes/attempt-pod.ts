import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { find } from '../../cluster/find.ts';
import type { CoreEvent, Job } from '../../cluster/objects.ts';
import { events, jobs, pods, secrets } from '../../cluster/resources.ts';
import { AttemptEnded } from '../../model/attempt-ended.ts';
import type { Json } from '../../model/json.ts';
import { createFault } from './create-fault.ts';
import { agentUrlOf, annotations, buildJob, labels } from './job-spec.ts';
import type { AttemptPlan } from './job-spec.ts';
import { jobName } from './job-name.ts';
import type { KnownPod, PodBook } from './pod-book.ts';
import { podFacts } from './pod-facts.ts';
import type { PodFacts } from './pod-facts.ts';
import type { KubernetesSettings } from './settings.ts';

export interface AttemptPodOptions {
  readonly cluster: ClusterClient;
  readonly settings: KubernetesSettings;
  readonly book: PodBook;
  readonly plan: AttemptPlan;
  readonly secrets: Readonly<Record<string, string>>;
  /** Hears agents on another port too. */
  readonly listen: (port: number) => Promise<unknown>;
  /** For an attempt of a runner that is gone: where that had placed it, if it had. */
  readonly lost?: { readonly place: Readonly<Record<string, Json>> | undefined };
}

const firstLookMs = 1_000;
const nextLookMs = 2_000;
const longestEndMs = 30_000;

/** The Job of one attempt and its first pod, as the cluster shows them. */
export class AttemptPod {
  readonly name: string;
  readonly #options: AttemptPodOptions;
  readonly #ending = new AbortController();
  #job: Job | undefined;
  #created: Promise<void> | undefined;
  #events: readonly CoreEvent[] = [];
  #podUid: string | undefined;
  #looked = Promise.withResolvers<undefined>();

  constructor(options: AttemptPodOptions) {
    this.#options = options;
    const { runId, step, attempt } = options.plan;
    this.name = jobName({ runId, step: step.id, attempt });
    const uid = options.lost?.place?.['podUid'];
    this.#podUid = typeof uid === 'string' ? uid : undefined;
  }

  /** It may run already, begun by a runner that is gone. */
  get adopts(): boolean {
    return this.#options.lost !== undefined;
  }

  /**
   * Makes the Job, or finds the one that was made before; once, unless it fails. AttemptEnded when the cluster will not
   * have it.
   */
  create(): Promise<void> {
    this.#created ??= this.#create().catch((error: unknown) => {
      this.#created = undefined;
      throw error;
    });
    return this.#created;
  }

  async #create(): Promise<void> {
    this.#job = (await this.#findLost()) ?? (await this.#createOrAdopt());
    await this.#listenWhereItsAgentAsks(this.#job);
    await this.#createSecret(this.#job);
    void this.#watchOver();
  }

  /** Whether a pod is the one that counts: the first of this Job. */
  owns(namespace: string, podUid: string): boolean {
    return namespace === this.#options.settings.namespace && this.#known?.pod.metadata.uid === podUid;
  }

  /** For people, and for a runner that comes after this one. */
  place(): Readonly<Record<string, Json>> {
    const { metadata, spec } = this.#known?.pod ?? {};
    this.#podUid ??= metadata?.uid;
    return {
      namespace: this.#options.settings.namespace,
      job: this.name,
      jobUid: this.#job?.metadata.uid ?? '',
      pod: metadata?.name ?? '',
      podUid: metadata?.uid ?? '',
      node: spec?.nodeName ?? '',
    };
  }

  facts(now: number): PodFacts {
    const { patienceMs, placeMs } = this.#options.settings;
    return podFacts({
      job: this.#job,
      known: this.#known,
      // Before all pods were seen, the one on record is not missing.
      podUid: this.#options.book.isComplete ? this.#podUid : undefined,
      events: this.#events,
      now,
      patienceMs,
      placeMs,
      services: this.#options.plan.services,
    });
  }

  /** Settles when something is known that was not before. */
  async changed(): Promise<void> {
    await Promise.race([this.#options.book.changed(this.name), this.#looked.promise]);
  }

  /**
   * Ends the pod. Its first process is immune to TERM, so the shortest grace there is; without any the object would be gone
   * before the processes are.
   */
  async kill(): Promise<void> {
    const name = this.#known?.pod.metadata.name;
    const { cluster, settings } = this.#options;
    if (name === undefined) return;
    await cluster.delete(pods, { namespace: settings.namespace, name }, { graceSeconds: 1 });
  }

  /** Settles when nothing of the pod is left, or that takes too long to wait for. */
  async ended(): Promise<void> {
    const late = sleep(longestEndMs).then(() => true);
    while (this.#known?.gone === false) {
      if ((await Promise.race([this.#options.book.changed(this.name), late])) === true) return;
    }
  }

  /** Looks no longer after it; what is known stays. */
  close(): void {
    this.#ending.abort();
  }

  get #known(): KnownPod | undefined {
    const jobUid = this.#job?.metadata.uid;
    return jobUid === undefined ? undefined : this.#options.book.podOf(this.name, jobUid, this.#podUid);
  }

  /** A recorded pod whose Job is gone was deleted by somebody else, since we delete only what is over. */
  async #findLost(): Promise<Job | undefined> {
    if (this.#options.lost === undefined) return undefined;
    const found = await this.#get();
    if (found === undefined && this.#podUid !== undefined) {
      throw new AttemptEnded('pod_deleted', `the Job ${this.name} was deleted while no runner looked after it`);
    }
    return found;
  }

  async #createOrAdopt(): Promise<Job> {
    const { cluster, plan, settings } = this.#options;
    const { namespace } = settings;
    const body = buildJob(plan, settings);
    try {
      return await cluster.create(jobs, { namespace }, body);
    } catch (error) {
      const found = await this.#get();
      if (found !== undefined) return found;
      throw createFault(error);
    }
  }

  /** Undefined when there is none. AttemptEnded for one that is not of this attempt. */
  async #get(): Promise<Job | undefined> {
    const { cluster, plan, settings } = this.#options;
    const found = await find(cluster, jobs, { namespace: settings.namespace, name: this.name });
    if (found === undefined) return undefined;
    const wanted = buildJob(plan, settings).metadata.annotations?.[annotations.spec];
    const { labels: has = {}, annotations: says = {} } = found.metadata;
    const ours = has[labels.owner] === settings.owner && says[annotations.step] === plan.step.id;
    const fits = this.adopts || says[annotations.spec] === wanted;
    if (ours && fits) return found;
    throw new AttemptEnded('internal_error', `there is a Job ${this.name} already that is not of this attempt`);
  }

  /** The address stands in the pod for good; a runner that is gone may have had another than we have. */
  async #listenWhereItsAgentAsks(job: Job): Promise<void> {
    const url = agentUrlOf(job);
    if (url === undefined || url === this.#options.settings.agentUrl) return;
    await this.#options.listen(Number(new URL(url).port || 80));
  }

  /** Owned by the Job, so that it goes with it; the kubelet waits for it. */
  async #createSecret({ metadata }: Job): Promise<void> {
    const { cluster, settings, plan } = this.#options;
    if (plan.secretNames.length === 0) return;
    const { namespace } = settings;
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: this.name, uid: metadata.uid, controller: true };
    const body = {
      metadata: { name: this.name, namespace, labels: { [labels.owner]: settings.owner }, ownerReferences: [owner] },
      immutable: true,
      stringData: { ...this.#options.secrets },
    };
    try {
      await cluster.create(secrets, { namespace }, body);
    } catch (error) {
      const found = await find(cluster, secrets, { namespace, name: this.name });
      if (found === undefined) throw createFault(error);
    }
  }

  /** Events and the Job itself are only asked for while nothing runs: a pod that starts soon costs no request. */
  async #watchOver(): Promise<void> {
    const { signal } = this.#ending;
    const pause = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal }).catch(() => undefined);
    await pause(firstLookMs);
    while (!signal.aborted) {
      if (this.#needsLook()) await this.#look().catch(() => undefined);
      await pause(nextLookMs);
    }
  }

  #needsLook(): boolean {
    const known = this.#known;
    return known === undefined || known.gone || known.pod.status?.phase === 'Pending';
  }

  async #look(): Promise<void> {
    const { cluster, settings } = this.#options;
    const at = { namespace: settings.namespace };
    const uids = [this.#job?.metadata.uid, this.#known?.pod.metadata.uid].filter((uid) => uid !== undefined);
    const lists = await Promise.all(
      uids.map((uid) => cluster.list(events, { ...at, fieldSelector: `involvedObject.uid=${uid}` })),
    );
    this.#events = lists.flatMap(({ items }) => items);
    this.#job = (await find(cluster, jobs, { ...at, name: this.name })) ?? this.#job;
    this.#looked.resolve(undefined);
    this.#looked = Promise.withResolvers();
  }
}
