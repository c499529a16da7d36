import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { ClusterError, failedWith } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { Job } from '../../cluster/objects.ts';
import { jobs, pods, secrets } from '../../cluster/resources.ts';
import { AttemptEnded } from '../../model/attempt-ended.ts';
import { adviceOf, messageOf, SluiceError } from '../../model/errors.ts';
import type { Json } from '../../model/json.ts';
import { createFault } from './create-fault.ts';
import type { EventBook } from './event-book.ts';
import { agentUrlOf, annotations, buildJob, labels } from './job-spec.ts';
import type { AttemptPlan } from './job-spec.ts';
import { jobName } from './job-name.ts';
import { passes, persist } from './persist.ts';
import type { Persistence } from './persist.ts';
import type { KnownPod, PodBook } from './pod-book.ts';
import { lastingWord, podFacts } from './pod-facts.ts';
import type { KubeletWord } from './next-move.ts';
import type { PodFacts } from './pod-facts.ts';
import type { KubernetesSettings } from './settings.ts';

export interface AttemptPodOptions {
  readonly cluster: ClusterClient;
  readonly settings: KubernetesSettings;
  readonly book: PodBook;
  readonly events: EventBook;
  readonly plan: AttemptPlan;
  readonly secrets: Readonly<Record<string, string>>;
  /** Brings the namespace about, where that is ours to make. */
  readonly prepare?: () => Promise<void>;
  /** Hears agents on another port too. */
  readonly listen: (port: number) => Promise<unknown>;
  /** Aborted when the executor closes: nothing is made any more. */
  readonly closing: AbortSignal;
  /** For an attempt of a runner that is gone: where that had placed it, if it had. */
  readonly lost?: { readonly place: Readonly<Record<string, Json>> | undefined };
}

/** Most pods run by then, and have cost no question. */
const firstLookMs = 2_000;
const nextLookMs = 2_000;
const longestEndMs = 30_000;
const secretMs = 60_000;

/** The Job of one attempt and its first pod, as the cluster shows them. */
export class AttemptPod {
  readonly name: string;
  readonly #options: AttemptPodOptions;
  readonly #ending = new AbortController();
  #job: Job | undefined;
  #jobIsGone = false;
  #lookedAt = 0;
  /** When the Secret was made, be it by an earlier runner. */
  #secretAt = -Infinity;
  #trouble: string | undefined;
  #killing: Promise<void> | undefined;
  #created: Promise<void> | undefined;
  #podUid: string | undefined;
  #word: KubeletWord | undefined;
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

  /** A runner that is gone had told its place, and so may have let the command go. */
  get wasPlaced(): boolean {
    return this.#options.lost?.place !== undefined;
  }

  /** When the API server was heard last: what is known is not newer. Of a pod that is there only the watch tells more. */
  get toldAt(): number {
    const { toldAt } = this.#options.book;
    return this.#known === undefined ? Math.max(toldAt, this.#lookedAt) : toldAt;
  }

  /** Why the Job cannot be made yet. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /**
   * Makes the Job, or finds the one that was made before; once, unless it fails. An API server that is away is waited for: it
   * may have made what it did not answer for. AttemptEnded when the cluster will not have it.
   */
  create(): Promise<void> {
    this.#created ??= this.#create().catch((error: unknown) => {
      this.#created = undefined;
      throw error;
    });
    return this.#created;
  }

  async #create(): Promise<void> {
    const signal = AbortSignal.any([this.#ending.signal, this.#options.closing]);
    try {
      await persist(() => this.#createOnce(), this.#persistence(signal));
    } catch (error) {
      if (this.#options.closing.aborted) throw new AttemptEnded('interrupted');
      throw passes(error) ? new AttemptEnded('cluster_unreachable', messageOf(error)) : error;
    }
    this.#noteTrouble(undefined);
    void this.#watchOver();
  }

  async #createOnce(): Promise<void> {
    await this.#prepare();
    this.#job = (await this.#findLost()) ?? (await this.#createOrAdopt());
    await this.#listenWhereItsAgentAsks(this.#job);
    await this.#createSecret(this.#job);
  }

  async #prepare(): Promise<void> {
    try {
      await this.#options.prepare?.();
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'ERR_CONFLICT' && !(error instanceof ClusterError)) {
        throw new AttemptEnded('admission_denied', adviceOf(error));
      }
      throw createFault(error);
    }
  }

  #persistence(signal: AbortSignal): Persistence {
    const { placeMs, patienceMs } = this.#options.settings;
    return {
      signal,
      absenceMs: placeMs,
      faultMs: patienceMs,
      onFailure: ({ message }) => this.#noteTrouble(message),
    };
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
    const facts = podFacts({
      job: this.#jobIsGone ? undefined : this.#job,
      known: this.#known,
      podUid: this.#podUid,
      isComplete: this.#options.book.isComplete,
      events: this.#options.events.of(this.name),
      // An API server that says nothing makes nothing older than it was.
      now: Math.min(now, this.toldAt),
      patienceMs,
      placeMs,
      services: this.#options.plan.services,
    });
    this.#word = lastingWord(this.#word, facts.kubelet);
    // The kubelet looks for the Secret again; until then it says that there is none, which was true.
    const isStale = facts.hopeless?.reason === 'container_config' && now < this.#secretAt + secretMs;
    return { ...facts, kubelet: this.#word, ...(isStale && { hopeless: undefined }) };
  }

  /** Settles when something is known that was not before. */
  async changed(): Promise<void> {
    const { book, events } = this.#options;
    await Promise.race([book.changed(this.name), events.changed(this.name), this.#looked.promise]);
  }

  /**
   * Ends the pod, once; settles when the API server has taken that on. Its first process is immune to TERM, so the shortest
   * grace there is; without any the object would be gone before the processes are.
   */
  kill(): Promise<void> {
    this.#killing ??= this.#kill();
    return this.#killing;
  }

  async #kill(): Promise<void> {
    const { cluster, settings, book } = this.#options;
    const { signal } = this.#ending;
    while (!book.isComplete && !signal.aborted)
      await Promise.race([book.changed(this.name), sleep(nextLookMs, undefined, { signal }).catch(() => undefined)]);
    const { name, uid } = this.#known?.pod.metadata ?? {};
    if (name === undefined || uid === undefined) return;
    const at = { namespace: settings.namespace, name };
    await persist(() => cluster.delete(pods, at, { graceSeconds: 1, uid }), this.#persistence(signal));
  }

  /** Ends what there may be of it; settles when nothing is left, or that takes too long to wait for. */
  async end(): Promise<void> {
    await this.kill();
    const late = sleep(longestEndMs, true);
    while (this.#known?.gone === false) {
      if (await Promise.race([this.#options.book.changed(this.name).then(() => false), late])) return;
    }
  }

  /** Looks no longer after it; what is known stays. Settles when nothing more is asked of the cluster. */
  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.allSettled([this.#created, this.#killing]);
  }

  get #known(): KnownPod | undefined {
    const jobUid = this.#job?.metadata.uid ?? this.#options.lost?.place?.['jobUid'];
    return typeof jobUid !== 'string' ? undefined : this.#options.book.podOf(this.name, jobUid, this.#podUid);
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
    const { signal } = this.#ending;
    try {
      return await cluster.create(jobs, { namespace }, buildJob(plan, settings), { signal });
    } catch (error) {
      const found = failedWith(error, 'AlreadyExists') ? await this.#get() : undefined;
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
    const port = Number(new URL(url).port || 80);
    await this.#options.listen(port).catch((error: unknown) => {
      throw new AttemptEnded(
        'runner_lost',
        `its agent asks for a runner where none can be any more: ${messageOf(error)}`,
      );
    });
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
    const made = await cluster.create(secrets, { namespace }, body).catch(async (error: unknown) => {
      if (!failedWith(error, 'AlreadyExists')) throw createFault(error);
      return cluster.get(secrets, { namespace, name: this.name });
    });
    this.#secretAt = Date.parse(made.metadata.creationTimestamp);
  }

  /** The Job itself, and what is told of it, are only asked for while nothing runs: a pod that starts soon costs no request. */
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

  /** Its Job, and why that makes no pod, matter until there is one and when it is gone. */
  async #look(): Promise<void> {
    const askedAt = Date.now();
    const { cluster, events, settings } = this.#options;
    await events.open();
    if (this.#known?.gone !== false) {
      const found = await find(cluster, jobs, { namespace: settings.namespace, name: this.name });
      this.#jobIsGone = found?.metadata.uid !== this.#job?.metadata.uid;
      if (found !== undefined && !this.#jobIsGone) this.#job = found;
    }
    this.#lookedAt = askedAt;
    this.#notify();
  }

  #noteTrouble(message: string | undefined): void {
    this.#trouble = message;
    this.#notify();
  }

  #notify(): void {
    this.#looked.resolve(undefined);
    this.#looked = Promise.withResolvers();
  }
}
