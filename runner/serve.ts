import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import v8 from 'node:v8';
import { createApi } from './api/create-api.ts';
import type { ApiDependencies, RunRequests } from './api/dependencies.ts';
import { createAuthenticate } from './api/authenticate.ts';
import { attachWebSocket } from './api/websocket/attach.ts';
import type { Submissions } from './api/websocket/session.ts';
import type { Listening, Services } from './cli/session.ts';
import type { Config } from './config/config.ts';
import type { Environment } from './config/environment.ts';
import { dispatchRuns } from './engine/dispatcher.ts';
import type { Backends } from './environments/backends.ts';
import { newRunId } from './engine/new-run-id.ts';
import { runInPreview } from './gates/backends/delete-preview.ts';
import { PreviewSweeper } from './environments/preview-sweeper.ts';
import { createLogger } from './logging.ts';
import { systemClock } from './model/clock.ts';
import { SluiceError, messageOf } from './model/errors.ts';
import type { Logger } from './model/logger.ts';
import type { StoredEvent } from './model/run-event.ts';
import type { NoticeTarget, RunRequest } from './model/run-request.ts';
import type { AddressRules } from './outgoing/address-rules.ts';
import { deliverOutbox } from './outgoing/deliver-outbox.ts';
import { apiHosts, forgeApi } from './outgoing/forge-api.ts';
import { isPullRequestClosed } from './outgoing/pull-request-state.ts';
import type { AskedForge } from './outgoing/pull-request-state.ts';
import { readSubscribers, rulesFor } from './outgoing/read-subscribers.ts';
import type { NamedSubscriber } from './outgoing/read-subscribers.ts';
import { createReceiver } from './outgoing/receivers.ts';
import type { TargetBook } from './outgoing/receivers.ts';
import { createSender } from './outgoing/sender.ts';
import { createMirrors } from './sources/mirrors.ts';
import type { Remote, RemoteRefs, WantedCommit } from './sources/mirrors.ts';
import type { Intake, Repository } from './store/intake.ts';
import { registerRepository } from './store/register-repository.ts';
import { readRepositorySecrets, requireKeyOf } from './store/repository-secrets.ts';
import type { RepositorySecrets } from './store/repository-secrets.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { announcePush } from './triggers/announce-push.ts';
import { receiveDelivery } from './triggers/receive-delivery.ts';
import type { ReceptionDependencies } from './triggers/receive-delivery.ts';
import { replayDelivery } from './triggers/replay-delivery.ts';
import { pullRefs } from './triggers/pull-refs.ts';
import { requestRun } from './triggers/request-run.ts';
import { manualTrigger, submitRun } from './triggers/submit-run.ts';
import type { SubmissionDependencies } from './triggers/submit-run.ts';
import { watchRepositories } from './triggers/watch-repositories.ts';
import type { WatchDependencies } from './triggers/watch-repositories.ts';

const sweepMs = 30_000;
/** How often previews are looked at where refs are not. */
const lookMs = 300_000;
/** How long a forge may take to say whether a pull request is closed. */
const askMs = 20_000;

interface ServeOptions {
  readonly config: Config;
  readonly environment: Environment;
  readonly version: string;
}

/** Answers requests, drives the runs that they ask for, and tells forges how those go. */
export async function serve(services: Services, options: ServeOptions): Promise<Listening> {
  // Answers are garbage at once, and V8 lets it grow by the memory of the machine: with this the server takes 50 MB less.
  v8.setFlagsFromString('--heap-growing-percent=25');
  const { config, version } = options;
  const { engine, store, logs, blobs, intake, secretBox } = services;
  const logger = createLogger('info');
  const secretsOf = await openSecrets(services);
  const telemetry = await openTelemetry(config, intake, version);
  const remotes = remotesOf(services, options);
  const subscribers = config.subscribersFile === undefined ? [] : await readSubscribers(config.subscribersFile);
  const notifyOf = (repository: Repository) => targetsOf(repository, secretsOf(repository), subscribers);
  const submission = { intake, clock: systemClock, notifyOf, newRunId };
  const runs = queuedRuns(services, remotes, submission);
  const backends = await backendsOf(options);
  const previews = watchPreviews(services, remotes, backends, { logger, everyMs: config.pollMs ?? lookMs });
  const parts: ApiDependencies = {
    ...{ engine, runs, store, logs, blobs, intake, backends, clock: systemClock, logger, version },
    register: (wish) => registerRepository(intake, secretBox, wish, systemClock()),
    receive: counted(telemetry.metrics, (id, headers, body) =>
      receiveDelivery({ ...submission, blobs, secretsOf, ended: previews.ended }, id, headers, body),
    ),
    metrics: () => telemetry.metrics.text(),
    replay: replayDelivery.bind(undefined, { intake, store, clock: systemClock, newRunId }),
    ...(config.issuer && { issuer: config.issuer }),
  };
  const api = await createApi(parts);
  const sockets = attachWebSocket(api.server, {
    ...parts,
    authenticate: createAuthenticate(parts),
    submissions: socketSubmissions(services, remotes, submission),
    origins: config.url === '' ? [] : [new URL(config.url).origin],
  });
  const [stop, cancel] = [new AbortController(), new AbortController()];
  const url = await api.listen({ ...config.listen }).catch(notListening.bind(undefined, config.listen));
  const dispatched = dispatchRuns(
    {
      ...{ engine, store, logger, most: { runs: config.runs, ofRepository: config.runsPerRepository } },
      locate: (request) => remotes.locate(request),
      ended: async (runId) => telemetry.runEnded(await store.events(runId)),
    },
    { stop: stop.signal, cancel: cancel.signal },
  );
  const watched = watchOver(services, remotes, { ...submission, logger }, config.pollMs, stop.signal);
  const swept = Promise.all([previews.run(stop.signal), sweepBackends(backends, logger, stop.signal)]);
  const delivered = tellOthers(services, subscribers, { url: config.url || url, logger }, stop.signal);
  return {
    url,
    close: async (graceMs) => {
      stop.abort();
      const ended = Promise.all([sockets.close(), api.close(), dispatched, delivered, watched, swept])
        .finally(() => Promise.all([telemetry.close(), backends?.close()]))
        .then(() => true);
      if (await Promise.race([ended, sleep(graceMs, false, { ref: false })])) return;
      // Jobs outlive whoever drives them, so that ending here is what kill -9 would be: the next runner goes on.
      if (config.executor === 'kubernetes') return process.exit(0);
      cancel.abort();
      api.server.closeAllConnections();
      await ended;
    },
  };
}

/** ERR_SEALED when the key at hand is not the one of all repositories. */
async function openSecrets({ intake, secretBox }: Services): Promise<(repository: Repository) => RepositorySecrets> {
  requireKeyOf(secretBox, await intake.repositories());
  return (repository) => readRepositorySecrets(secretBox, repository);
}

/** Undefined for a server on a cluster that is not told where backends are deployed. */
async function backendsOf({ config, environment }: ServeOptions): Promise<Backends | undefined> {
  if (config.executor === 'kubernetes' && config.backends === undefined) return undefined;
  return (await import('./open-backends.ts')).openBackends(config, environment);
}

/** Deletes what is due, until the signal comes. Of several servers each may. */
async function sweepBackends(backends: Backends | undefined, logger: Logger, signal: AbortSignal): Promise<void> {
  if (backends === undefined) return;
  while (!signal.aborted) {
    try {
      for (const { name: backend, error } of await backends.sweep(systemClock()))
        if (error === undefined) logger.info('backend deleted', { backend });
        else logger.warn('a backend that is due was not deleted', { backend, error });
    } catch (error) {
      logger.warn('backends that are due were not deleted', { error });
    }
    await sleep(sweepMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Commit statuses and completion events, on their way until the signal comes. `url` is where people find this server. */
async function tellOthers(
  services: Services,
  subscribers: readonly NamedSubscriber[],
  { url, logger }: { readonly url: string; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  const sender = createSender(() => receiverHosts(services, subscribers), systemClock);
  const receiver = createReceiver(sender, targetBook(services, subscribers, url), url, systemClock);
  try {
    await deliverOutbox({ outbox: services.outbox, receiver, clock: systemClock, logger }, signal);
  } finally {
    sender.close();
  }
}

interface PreviewWatch {
  readonly ended: NonNullable<ReceptionDependencies['ended']>;
  run(signal: AbortSignal): Promise<void>;
}

/** Removes what nobody needs any more. Previews of repositories that are not ours go by their time alone. */
function watchPreviews(
  services: Services,
  remotes: Remotes,
  backends: Backends | undefined,
  { logger, everyMs }: { readonly logger: Logger; readonly everyMs: number },
): PreviewWatch {
  if (backends === undefined) return { ended: () => undefined, run: () => Promise.resolve() };
  const { intake, store } = services;
  const sender = createSender(() => receiverHosts(services, []), systemClock);
  const sweeper = new PreviewSweeper({
    ...{ place: backends.previews, clock: systemClock, logger },
    branchesOf: async (name) => {
      const repository = await intake.repositoryNamed(name);
      if (repository === undefined) return undefined;
      const { refs } = await remotes.refs(repository);
      // A remote without any ref is more likely broken than left by everybody.
      if (refs.size === 0) return undefined;
      return new Set([...refs.keys()].map((ref) => ref.replace(/^refs\/heads\//, '')));
    },
    isClosed: async (name, pullRequest) => {
      const forge = forgeOf(services, await intake.repositoryNamed(name));
      return forge && isPullRequestClosed(sender, forge, pullRequest, AbortSignal.timeout(askMs));
    },
    isBusy: async (preview) => (await runInPreview(preview, (filter) => store.runs(filter))) !== undefined,
  });
  return {
    ended: ({ name }, { pullRequest }) => sweeper.ended(name, pullRequest),
    run: (signal) => sweeper.run(everyMs, signal).finally(() => sender.close()),
  };
}

/** What nobody announces: refs that moved and times that came. Without `everyMs` neither is looked for. */
async function watchOver(
  { engine, watch }: Services,
  remotes: Remotes,
  parts: Omit<WatchDependencies, 'watch' | 'refsOf' | 'schedulesOf'>,
  everyMs: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (everyMs === undefined) return;
  const refsOf = (repository: Repository) => remotes.refs(repository);
  const schedulesOf: WatchDependencies['schedulesOf'] = async (repository, head) =>
    engine.schedules(await remotes.fetch(repository, head), head.commit, repository.file);
  await watchRepositories({ ...parts, watch, refsOf, schedulesOf }, everyMs, signal);
}

interface Telemetry {
  readonly metrics: Metrics;
  runEnded(events: readonly StoredEvent[]): void;
  close(): Promise<void>;
}

/** Traces are loaded only where they are sent. */
async function openTelemetry({ traces: wanted }: Config, intake: Intake, version: string): Promise<Telemetry> {
  const metrics = createMetrics(intake);
  const traces = wanted ? (await import('./telemetry/traces.ts')).createTraces(version) : undefined;
  return {
    metrics,
    runEnded: (events) => {
      metrics.runEnded(events);
      traces?.runEnded(events);
    },
    close: async () => {
      metrics.close();
      await traces?.close();
    },
  };
}

function counted(metrics: Metrics, receive: ApiDependencies['receive']): ApiDependencies['receive'] {
  return async (...delivery) => {
    try {
      const reception = await receive(...delivery);
      if (reception.kind !== 'received') metrics.hookAnswered(reception.kind);
      else for (const { outcome } of reception.deliveries) metrics.hookAnswered(outcome);
      return reception;
    } catch (error) {
      metrics.hookAnswered('failed');
      throw error;
    }
  };
}

/** Runs asked for by the API wait in the queue, as those that a forge announces do. */
function queuedRuns({ engine, intake }: Services, remotes: Remotes, submission: SubmissionDependencies): RunRequests {
  const resolve: Remotes['resolve'] = (repository, revision) => remotes.resolve(repository, revision);
  return {
    request: (wish) => requestRun({ ...submission, intake, resolve }, wish),
    rerun: (runId, scope, traceParent) => engine.queueRerun(runId, scope, traceParent),
  };
}

/** The id of a client's message makes it one submission, whichever connection brings it. */
function socketSubmissions({ intake }: Services, remotes: Remotes, submission: SubmissionDependencies): Submissions {
  const idOf = (actor: string, id: string) => `websocket ${actor} ${id}`;
  return {
    run: async ({ id, repository: name, commit, command, file, priority }, actor) => {
      const repository = await intake.repositoryNamed(name);
      if (!repository) return undefined;
      const trigger = manualTrigger(await remotes.resolve(repository, commit), actor);
      const wish = { repository, trigger, priority, id: idOf(actor, id), by: 'websocket' };
      return submitRun(submission, { ...wish, ...(file !== undefined && { file }), ...(command && { command }) });
    },
    announce: async ({ id, repository: name, ref, before, after, actor: pusher }, actor) => {
      const repository = await intake.repositoryNamed(name);
      const push = { ref, before, after, actor: pusher ?? actor };
      return repository && announcePush(submission, repository, push, idOf(actor, id));
    },
  };
}

interface Remotes {
  resolve(repository: Repository, revision: string): Promise<WantedCommit>;
  /** Heads of pull requests too, where the forge keeps refs of them. */
  refs(repository: Repository): Promise<RemoteRefs>;
  /** Folder of a mirror of this server that has the commit. */
  fetch(repository: Repository, wanted: WantedCommit): Promise<string>;
  /** Folder of a mirror of this server that has the commit of the request. */
  locate(request: RunRequest): Promise<string>;
}

function remotesOf({ intake, secretBox }: Services, { config, environment }: ServeOptions): Remotes {
  const mirrors = createMirrors({ environment: environment.variables, folder: join(config.home, 'mirrors') });
  const remoteOf = (repository: Repository): Remote => {
    const { token } = readRepositorySecrets(secretBox, repository);
    return { id: repository.id, url: repository.cloneUrl, token };
  };
  const fetch: Remotes['fetch'] = async (repository, wanted) => mirrors.fetch(remoteOf(repository), wanted);
  return {
    fetch,
    resolve: (repository, revision) => mirrors.resolve(remoteOf(repository), revision),
    refs: (repository) => mirrors.refs(remoteOf(repository), pullRefs[repository.forge]),
    locate: async ({ repositoryId = '', trigger }) => {
      const repository = await intake.repository(repositoryId);
      if (!repository) throw new SluiceError('ERR_SOURCE', 'The repository of this run is known no more.');
      return fetch(repository, trigger);
    },
  };
}

/** Without a token the forge would take no status. */
function targetsOf(
  { name }: Repository,
  { token }: RepositorySecrets,
  subscribers: readonly NamedSubscriber[],
): readonly NoticeTarget[] {
  const told = subscribers.filter(({ repositories }) => repositories?.includes(name) ?? true);
  const events = told.map((subscriber) => ({ kind: 'events', name: subscriber.name }) as const);
  return token === '' ? events : [{ kind: 'status', name }, ...events];
}

/** A status goes to the forge that the repository is fetched from, with the token that fetches it. */
function targetBook(services: Services, subscribers: readonly NamedSubscriber[], url: string): TargetBook {
  return {
    status: async (_name, { request, runId }) => {
      const forge = forgeOf(services, await services.intake.repository(request.repositoryId ?? ''));
      return forge && { ...forge, runUrl: `${url}/v1/runs/${runId}` };
    },
    subscriber: (name) => Promise.resolve(subscribers.find((subscriber) => subscriber.name === name)),
  };
}

/** The API of the forge that a repository is fetched from; undefined for one that has none. */
function forgeOf({ secretBox }: Services, repository: Repository | undefined): AskedForge | undefined {
  if (!repository || repository.forge === 'git') return undefined;
  const api = forgeApi(repository.forge, repository.cloneUrl);
  const { token } = readRepositorySecrets(secretBox, repository);
  return api && { forge: repository.forge, api, token };
}

/** Whoever adds a repository trusts its host, which may well be in a private network. */
async function receiverHosts({ intake }: Services, subscribers: readonly NamedSubscriber[]): Promise<AddressRules> {
  const { hosts, privateHosts } = rulesFor(subscribers);
  return { hosts, privateHosts: [...privateHosts, ...apiHosts(await intake.repositories())] };
}

/** Says why there is no server at the address, in words for who typed it. */
function notListening({ host, port }: Config['listen'], cause: unknown): never {
  throw new SluiceError('ERR_USAGE', `Nothing can be served at ${host}:${port}: ${messageOf(cause)}`, {
    cause,
    hint: 'Choose another address with --listen HOST:PORT, or end what answers there; port 0 takes any free one.',
  });
}
