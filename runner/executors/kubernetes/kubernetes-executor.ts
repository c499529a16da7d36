import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { jobs } from '../../cluster/resources.ts';
import { systemClock } from '../../model/clock.ts';
import type { OwnedBackend } from '../../model/backend.ts';
import { canonicalJson } from '../../model/json.ts';
import type { Json } from '../../model/json.ts';
import type { Capability, RunStep } from '../../model/plan.ts';
import type { AttemptKey } from '../../model/result.ts';
import type { AttemptContext, AttemptOutcome, AttemptSpec, Executor, StopReason, WarmSpec } from '../executor.ts';
import { AgentDesk } from './agent-desk.ts';
import { AgentServer } from './agent-server.ts';
import { AttemptPod } from './attempt-pod.ts';
import type { AttemptPodOptions } from './attempt-pod.ts';
import type { BackendNamespaces } from './backend-namespaces.ts';
import { EventBook } from './event-book.ts';
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
const ensuredMs = 60_000;
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
  /** Where backends are offered; else steps run in the one namespace of the settings. */
  readonly backends?: BackendNamespaces;
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
  readonly server: AgentServer;
}

/** A namespace that attempts run in. */
interface Area {
  readonly settings: KubernetesSettings;
  readonly book: PodBook;
  readonly events: EventBook;
}

type Lost = NonNullable<AttemptPodOptions['lost']>;

interface Entry {
  readonly area: Area;
  readonly desk: AgentDesk;
  readonly pod: AttemptPod;
}

class KubernetesExecutor implements Executor {
  readonly name = 'kubernetes';
  readonly resumes = true;
  readonly offers: ReadonlySet<Capability>;
  readonly #options: KubernetesExecutorOptions;
  readonly #areas = new Map<string, Area>();
  /** Backends whose namespaces are as they should be, by what they should be. */
  readonly #ensured = new Map<string, { readonly at: number; readonly done: Promise<readonly string[]> }>();
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
    const environments = options.backends === undefined ? [] : (['environments'] as const);
    const builds = options.backends?.builds === true ? (['containerfiles'] as const) : [];
    this.offers = new Set(['services', 'images', ...environments, ...builds]);
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
      await garbageCollected(this.#books);
      await this.#sweep(site);
    }
    await site?.server.close();
    await Promise.all([...this.#areas.values()].flatMap(({ book, events }) => [book.close(), events.close()]));
    await site?.cluster.close();
  }

  async #run(spec: AttemptSpec, context: AttemptContext, lost?: Lost): Promise<AttemptOutcome> {
    this.#site ??= this.#open();
    const site = await this.#site;
    const { settings } = this.#areaOf(site, spec);
    // A Job of the same name that was prepared and given up has to be gone first.
    const releasing = this.#releasing.get(jobName(keyOf(spec)));
    if (releasing !== undefined) await Promise.race([releasing, aborted(context.signal)]);
    const services = podServices(spec.step, settings);
    const plan = { ...spec, services, secretNames: Object.keys(spec.secrets), ...this.#accessOf(spec) };
    const { desk, pod } = this.#entries.get(jobName(keyOf(spec))) ?? this.#enter(site, plan, spec.secrets, lost);
    const { log, blobs } = context;
    const concealed = this.#concealer(site.cluster, spec, context);
    await concealed().catch(() => undefined);
    const write = (chunk: Uint8Array): Promise<void> => concealed().then(() => log.write(chunk));
    desk.open({ blobs, logOffset: log.offset, write });
    const signal = AbortSignal.any([context.signal, this.#closing.signal]);
    const clock = this.#options.clock ?? systemClock;
    const live = { spec, context, services, desk, pod, settings, signal, clock, ...this.#accessOf(spec) };
    const outcome = await new LiveAttempt(live).run();
    // Nobody may be there any more to record it and to let go of the pod.
    if (this.#closing.signal.aborted) this.release(keyOf(spec));
    return outcome;
  }

  /** Nothing is written to the log before the passwords of the backend are known. What keeps them from being known keeps its pods from being made too. */
  #concealer(
    cluster: ClusterClient,
    { backend, runId }: AttemptSpec,
    { conceal }: AttemptContext,
  ): () => Promise<void> {
    let done: Promise<void> | undefined = backend === undefined ? Promise.resolve() : undefined;
    return () => {
      if (done !== undefined || backend === undefined) return done ?? Promise.resolve();
      const begun = this.#ensure(cluster, backend, runId).then(conceal);
      done = begun;
      begun.catch(() => (done = undefined));
      return begun;
    };
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
    const services = podServices(ahead.step, site.settings);
    const plan = { ...ahead, services, secretNames: [], ...this.#accessOf(ahead) };
    await this.#enter(site, plan, {}).pod.create();
  }

  #enter(
    site: Site,
    plan: AttemptPlan & Pick<WarmSpec, 'backend' | 'runId'>,
    secrets: AttemptSpec['secrets'],
    lost?: Lost,
  ): Entry {
    const { cluster, server } = site;
    const listen = (port: number): Promise<unknown> => server.listen(port);
    const closing = this.#closing.signal;
    const area = this.#areaOf(site, plan);
    const { backend, runId } = plan;
    const prepare = backend && {
      prepare: async () => {
        await this.#ensure(cluster, backend, runId);
      },
    };
    const pod = new AttemptPod({ closing, cluster, ...area, plan, secrets, listen, ...prepare, ...(lost && { lost }) });
    const entry = { area, desk: new AgentDesk(), pod };
    this.#entries.set(pod.name, entry);
    area.book.remember(pod.name);
    area.events.remember(pod.name);
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
    const site = { cluster, settings, server };
    if (this.#options.backends === undefined) this.#areaOf(site, {});
    this.#sweeping = setInterval(() => void this.#track(this.#sweep(site)), sweepMs).unref();
    void this.#track(this.#sweep(site));
    return site;
  }

  /** The namespace of a backend, or the one for everything else; each is watched from its first attempt on. */
  #areaOf({ cluster, settings }: Site, { backend }: Pick<WarmSpec, 'backend'>): Area {
    const namespace = backend?.backend.name ?? settings.namespace;
    const known = this.#areas.get(namespace);
    if (known !== undefined) return known;
    const book = new PodBook(cluster, namespace, settings.owner);
    book.open();
    const area = { settings: { ...settings, namespace }, book, events: new EventBook(cluster, namespace) };
    this.#areas.set(namespace, area);
    return area;
  }

  /**
   * Once a minute for each description of a backend, because its namespace may be deleted meanwhile, and again after it failed. For a preview each run does so:
   * it may have gone since the last one, and lives from the begin of this one on.
   */
  #ensure(cluster: ClusterClient, backend: OwnedBackend, runId: string): Promise<readonly string[]> {
    const { backends } = this.#options;
    if (backends === undefined) return Promise.resolve([]);
    const key = canonicalJson([backend, backend.backend.preview === undefined ? '' : runId] as unknown as Json);
    const known = this.#ensured.get(key);
    if (known !== undefined && performance.now() - known.at < ensuredMs) return known.done;
    const done = backends.ensure(cluster, backend);
    this.#ensured.set(key, { at: performance.now(), done });
    done.catch(() => this.#ensured.delete(key));
    return done;
  }

  #accessOf({ backend, step }: Pick<WarmSpec, 'backend' | 'step'>): Pick<AttemptPlan, 'access'> {
    const { backends } = this.#options;
    return backend === undefined || backends === undefined ? {} : { access: backends.access(backend, step) };
  }

  get #books(): readonly PodBook[] {
    return [...this.#areas.values()].map(({ book }) => book);
  }

  /** What cannot be swept now is swept later. */
  async #sweep({ cluster, settings }: Site): Promise<void> {
    const isHeld = (job: string): boolean => this.#entries.has(job);
    const { backends, isOver } = this.#options;
    const namespace = backends === undefined ? settings.namespace : undefined;
    await sweep({ cluster, settings, namespace, books: this.#books, isHeld, isOver }).catch(() => undefined);
  }

  async #release(name: string, earlier: Promise<void> | undefined): Promise<void> {
    const site = await this.#site;
    const entry = this.#entries.get(name);
    await Promise.all([earlier, entry?.pod.close()]);
    if (site === undefined) return;
    const { settings, book, events } = entry?.area ?? this.#areaOf(site, {});
    const { cluster } = site;
    const at = { namespace: settings.namespace, name };
    try {
      await persist(() => cluster.delete(jobs, at, { propagation: 'Background' }), {
        signal: this.#closing.signal,
        absenceMs: settings.placeMs,
        faultMs: settings.patienceMs,
      });
    } finally {
      // Only now: a runner that comes after this one, if it is killed here, finds a Job whose pod can still do its work, or none.
      entry?.desk.want({ do: 'leave' });
      this.#entries.delete(name);
      this.#noteOver(name);
    }
    book.forget(name);
    events.forget(name);
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
async function garbageCollected(books: readonly PodBook[]): Promise<void> {
  const deadline = performance.now() + collectionMs;
  while (books.some((book) => book.staying().length > 0) && performance.now() < deadline)
    await sleep(collectionMs / 20);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

function keyOf({ runId, step, attempt }: WarmSpec): AttemptKey {
  return { runId, step: step.id, attempt };
}
