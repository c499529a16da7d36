import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { jobs } from '../../cluster/resources.ts';
import { systemClock } from '../../model/clock.ts';
import type { Json } from '../../model/json.ts';
import type { Capability, RunStep } from '../../model/plan.ts';
import type { AttemptKey } from '../../model/result.ts';
import type { AttemptContext, AttemptOutcome, AttemptSpec, Executor, StopReason, WarmSpec } from '../executor.ts';
import { AgentDesk } from './agent-desk.ts';
import { AgentServer } from './agent-server.ts';
import { AttemptPod } from './attempt-pod.ts';
import type { AttemptPodOptions } from './attempt-pod.ts';
import { jobName } from './job-name.ts';
import type { AttemptPlan } from './job-spec.ts';
import { LiveAttempt } from './live-attempt.ts';
import { persist } from './persist.ts';
import { PodBook } from './pod-book.ts';
import { podServices, serviceConflict } from './pod-services.ts';
import { PodTokens } from './pod-token.ts';
import type { PodIdentity } from './pod-token.ts';
import type { KubernetesSettings } from './settings.ts';
import { sweep } from './sweep.ts';

const sweepMs = 60_000;
const mostOver = 1_000;
const collectionMs = 1_000;

export interface KubernetesExecutorOptions {
  /** Called once, when the first attempt needs it. */
  readonly connect: () => Promise<ClusterClient>;
  /** Everything but what is known only then: the namespace of the connection, the port that was free. */
  readonly settings: (cluster: ClusterClient, port: number) => KubernetesSettings;
  /** Where agents are listened to; port 0 for any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Whether nobody will ask for an attempt any more, by what is on record. */
  readonly isOver: (key: AttemptKey) => Promise<boolean>;
  readonly clock?: () => number;
}

/** Runs each attempt as one Job with one pod. */
export function createKubernetesExecutor(options: KubernetesExecutorOptions): Executor {
  return new KubernetesExecutor(options);
}

/** What there is once the first attempt came. */
interface Site {
  readonly cluster: ClusterClient;
  readonly settings: KubernetesSettings;
  readonly book: PodBook;
  readonly server: AgentServer;
}

type Lost = NonNullable<AttemptPodOptions['lost']>;

interface Entry {
  readonly desk: AgentDesk;
  readonly pod: AttemptPod;
}

class KubernetesExecutor implements Executor {
  readonly name = 'kubernetes';
  readonly resumes = true;
  readonly offers: ReadonlySet<Capability> = new Set(['services', 'images']);
  readonly #options: KubernetesExecutorOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new AbortController();
  readonly #pending = new Set<Promise<unknown>>();
  /** Jobs that were let go of lately: an agent that asks late is dismissed. */
  readonly #over = new Set<string>();
  readonly #releasing = new Map<string, Promise<void>>();
  #site: Promise<Site> | undefined;
  #sweeping: NodeJS.Timeout | undefined;

  constructor(options: KubernetesExecutorOptions) {
    this.#options = options;
  }

  unsupportedReason(step: RunStep): string | undefined {
    return serviceConflict(step);
  }

  anticipate(): void {
    this.#site ??= this.#open();
    this.#site.catch(() => undefined);
  }

  execute(spec: AttemptSpec, context: AttemptContext): Promise<AttemptOutcome> {
    return this.#track(this.#run(spec, context));
  }

  recover(
    spec: AttemptSpec,
    place: Readonly<Record<string, Json>> | undefined,
    context: AttemptContext,
  ): Promise<AttemptOutcome> {
    return this.#track(this.#run(spec, context, { place }));
  }

  release(key: AttemptKey): void {
    const name = jobName(key);
    const released = this.#release(name, this.#releasing.get(name))
      .catch(() => undefined)
      .finally(() => this.#releasing.get(name) === released && this.#releasing.delete(name));
    this.#releasing.set(name, released);
    void this.#track(released);
  }

  async close(): Promise<void> {
    this.#closing.abort('interrupted' satisfies StopReason);
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    const site = await this.#site?.catch(() => undefined);
    clearInterval(this.#sweeping);
    if (site !== undefined) {
      await garbageCollected(site.book);
      await this.#sweep(site);
    }
    await site?.server.close();
    await site?.book.close();
    await site?.cluster.close();
  }

  async #run(spec: AttemptSpec, context: AttemptContext, lost?: Lost): Promise<AttemptOutcome> {
    this.#site ??= this.#open();
    const site = await this.#site;
    const { settings } = site;
    // A Job of the same name that was prepared and given up has to be gone first.
    const releasing = this.#releasing.get(jobName(keyOf(spec)));
    if (releasing !== undefined) await Promise.race([releasing, aborted(context.signal)]);
    const services = podServices(spec.step, settings);
    const plan = { ...spec, services, secretNames: Object.keys(spec.secrets) };
    const { desk, pod } = this.#entries.get(jobName(keyOf(spec))) ?? this.#enter(site, plan, spec.secrets, lost);
    const { log, blobs } = context;
    desk.open({ blobs, logOffset: log.offset, write: (chunk) => log.write(chunk) });
    const signal = AbortSignal.any([context.signal, this.#closing.signal]);
    const clock = this.#options.clock ?? systemClock;
    const outcome = await new LiveAttempt({ spec, context, services, desk, pod, settings, signal, clock }).run();
    // Nobody may be there any more to record it and to let go of the pod.
    if (this.#closing.signal.aborted) this.release(keyOf(spec));
    return outcome;
  }

  warm(ahead: WarmSpec): void {
    void this.#track(this.#warm(ahead).catch(() => undefined));
  }

  /** What fails here fails again, and is told, when the attempt begins. */
  async #warm(ahead: WarmSpec): Promise<void> {
    this.#site ??= this.#open();
    const site = await this.#site;
    await this.#releasing.get(jobName(keyOf(ahead)));
    if (this.#closing.signal.aborted || this.#entries.has(jobName(keyOf(ahead)))) return;
    const plan = { ...ahead, services: podServices(ahead.step, site.settings), secretNames: [] };
    await this.#enter(site, plan, {}).pod.create();
  }

  #enter(
    { cluster, settings, book, server }: Site,
    plan: AttemptPlan,
    secrets: AttemptSpec['secrets'],
    lost?: Lost,
  ): Entry {
    const listen = (port: number): Promise<unknown> => server.listen(port);
    const closing = this.#closing.signal;
    const pod = new AttemptPod({ closing, cluster, settings, book, plan, secrets, listen, ...(lost && { lost }) });
    const entry = { desk: new AgentDesk(), pod };
    this.#entries.set(pod.name, entry);
    book.remember(pod.name);
    return entry;
  }

  async #open(): Promise<Site> {
    const { connect, settings: complete, listen } = this.#options;
    const cluster = await connect();
    const tokens = new PodTokens(() => cluster.raw('/openid/v1/jwks'));
    const server = new AgentServer({
      host: listen.host,
      verify: (token) => tokens.verify(token),
      desk: (job, pod) => this.#deskFor(job, pod),
    });
    const settings = complete(cluster, await server.listen(listen.port));
    const book = new PodBook(cluster, settings.namespace, settings.owner);
    book.open();
    const site = { cluster, settings, book, server };
    this.#sweeping = setInterval(() => void this.#track(this.#sweep(site)), sweepMs).unref();
    void this.#track(this.#sweep(site));
    return site;
  }

  /** What cannot be swept now is swept later. */
  async #sweep({ cluster, settings, book }: Site): Promise<void> {
    const isHeld = (job: string): boolean => this.#entries.has(job);
    await sweep({ cluster, settings, book, isHeld, isOver: this.#options.isOver }).catch(() => undefined);
  }

  async #release(name: string, earlier: Promise<void> | undefined): Promise<void> {
    const site = await this.#site;
    const entry = this.#entries.get(name);
    // Only now: until its results are on record, the agent is the one that has them.
    entry?.desk.want({ do: 'leave' });
    this.#entries.delete(name);
    this.#noteOver(name);
    await Promise.all([earlier, entry?.pod.close()]);
    if (site === undefined) return;
    const { cluster, settings, book } = site;
    const at = { namespace: settings.namespace, name };
    await persist(() => cluster.delete(jobs, at, { propagation: 'Background' }), {
      signal: this.#closing.signal,
      absenceMs: settings.placeMs,
      faultMs: settings.patienceMs,
    });
    book.forget(name);
  }

  /** The API server vouches for the name of the pod and its uid; that it is the first of this Job is ours to know. */
  #deskFor(job: string, { namespace, pod: name, uid }: PodIdentity): AgentDesk | 'over' | undefined {
    const entry = this.#entries.get(job);
    if (!name.startsWith(`${job}-`)) return undefined;
    if (entry === undefined) return this.#over.has(job) ? 'over' : undefined;
    return entry.pod.owns(namespace, uid) ? entry.desk : undefined;
  }

  #noteOver(job: string): void {
    this.#over.add(job);
    const [oldest] = this.#over;
    if (oldest !== undefined && this.#over.size > mostOver) this.#over.delete(oldest);
  }

  async #track<Value>(work: Promise<Value>): Promise<Value> {
    this.#pending.add(work);
    try {
      return await work;
    } finally {
      this.#pending.delete(work);
    }
  }
}

/** The garbage collector of Kubernetes is quicker than we are, as a rule. */
async function garbageCollected(book: PodBook): Promise<void> {
  const deadline = performance.now() + collectionMs;
  while (book.staying().length > 0 && performance.now() < deadline) await sleep(collectionMs / 20);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

function keyOf({ runId, step, attempt }: WarmSpec): AttemptKey {
  return { runId, step: step.id, attempt };
}
