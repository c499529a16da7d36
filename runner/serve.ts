import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApi } from './api/create-api.ts';
import type { RunRequests } from './api/dependencies.ts';
import { createAuthenticate } from './api/authenticate.ts';
import { registerHooks } from './api/hooks.ts';
import { attachWebSocket } from './api/websocket/attach.ts';
import type { Submissions } from './api/websocket/session.ts';
import type { Address, Listening, Services } from './cli/session.ts';
import type { Config } from './config/config.ts';
import type { Environment } from './config/environment.ts';
import { dispatchRuns } from './engine/dispatcher.ts';
import { newRunId } from './engine/new-run-id.ts';
import { createLogger } from './logging.ts';
import { systemClock } from './model/clock.ts';
import { SluiceError, messageOf } from './model/errors.ts';
import type { RunRequest } from './model/run-request.ts';
import type { AddressRules } from './outgoing/address-rules.ts';
import { deliverOutbox } from './outgoing/deliver-outbox.ts';
import { forgeApi } from './outgoing/forge-api.ts';
import { createReceiver } from './outgoing/receivers.ts';
import type { TargetBook } from './outgoing/receivers.ts';
import { createSender } from './outgoing/sender.ts';
import { createMirrors } from './sources/mirrors.ts';
import type { Remote, WantedCommit } from './sources/mirrors.ts';
import type { Repository } from './store/intake.ts';
import { readRepositorySecrets } from './store/repository-secrets.ts';
import { announcePush } from './triggers/announce-push.ts';
import { receiveDelivery } from './triggers/receive-delivery.ts';
import { manualTrigger, submitRun } from './triggers/submit-run.ts';
import type { SubmissionDependencies } from './triggers/submit-run.ts';

interface ServeOptions {
  readonly address: Address;
  readonly config: Config;
  readonly environment: Environment;
  readonly version: string;
}

/** Answers requests, drives the runs that they ask for, and tells forges how those go. */
export async function serve(services: Services, options: ServeOptions): Promise<Listening> {
  const { address, config, version } = options;
  const { engine, store, logs, blobs, intake, secretBox, outbox } = services;
  const logger = createLogger('info');
  const remotes = remotesOf(services, options);
  const { issuer } = config;
  const secretsOf = readRepositorySecrets.bind(undefined, secretBox);
  const submission = { intake, clock: systemClock, secretsOf, newRunId };
  const runs = queuedRuns(services, remotes, submission);
  const parts = { engine, runs, store, logs, blobs, clock: systemClock, logger, version };
  const api = await createApi({ ...parts, ...(issuer && { issuer }) });
  const reception = { intake, blobs, clock: systemClock, newRunId, secretsOf };
  registerHooks(api, { receive: (id, headers, body) => receiveDelivery(reception, id, headers, body), logger });
  const sockets = attachWebSocket(api.server, {
    ...parts,
    authenticate: createAuthenticate({ ...parts, ...(issuer && { issuer }) }),
    submissions: socketSubmissions(services, remotes, submission),
    origins: config.url === '' ? [] : [new URL(config.url).origin],
  });
  const [stop, cancel] = [new AbortController(), new AbortController()];
  const url = await api.listen(address).catch((cause: unknown) => {
    throw notListening(address, cause);
  });
  const most = { runs: config.runs, ofRepository: config.runs };
  const dispatched = dispatchRuns(
    { engine, store, locate: (request) => remotes.locate(request), logger, most },
    { stop: stop.signal, cancel: cancel.signal },
  );
  const sender = createSender(() => forgeHosts(services), systemClock);
  const receiver = createReceiver(sender, statusBook(services, config.url || url), config.url || url, systemClock);
  const delivered = deliverOutbox({ outbox, receiver, clock: systemClock, logger }, stop.signal);
  return {
    url,
    close: async (graceMs) => {
      stop.abort();
      const ended = Promise.all([sockets.close(), api.close(), dispatched, delivered])
        .finally(() => sender.close())
        .then(() => true);
      if (await Promise.race([ended, sleep(graceMs, false, { ref: false })])) return;
      // Jobs outlive whoever drives them, so that ending here is what kill -9 would be: the next runner goes on.
      if (config.executor === 'kubernetes') return process.exit(0);
      cancel.abort();
      await ended;
    },
  };
}

/** Runs asked for by the API wait in the queue, as those that a forge announces do. */
function queuedRuns({ engine, intake }: Services, remotes: Remotes, submission: SubmissionDependencies): RunRequests {
  return {
    request: async ({ repository: name, commit: revision, file, actor }) => {
      const repository = (await intake.repositories()).find((other) => other.name === name);
      if (!repository) return undefined;
      const trigger = manualTrigger(await remotes.resolve(repository, revision), actor);
      const { runId = '' } = await submitRun(submission, { repository, trigger, file, id: randomUUID(), by: 'api' });
      return { ok: true, value: runId };
    },
    rerun: (runId, scope) => engine.queueRerun(runId, scope),
  };
}

/** The id of a client's message makes it one submission, whichever connection brings it. */
function socketSubmissions({ intake }: Services, remotes: Remotes, submission: SubmissionDependencies): Submissions {
  const find = async (name: string) => (await intake.repositories()).find((repository) => repository.name === name);
  const idOf = (actor: string, id: string) => `websocket ${actor} ${id}`;
  return {
    run: async ({ id, repository: name, commit, command, file }, actor) => {
      const repository = await find(name);
      if (!repository) return undefined;
      const trigger = manualTrigger(await remotes.resolve(repository, commit), actor);
      const wish = { repository, trigger, id: idOf(actor, id), by: 'websocket' };
      return submitRun(submission, { ...wish, ...(file !== undefined && { file }), ...(command && { command }) });
    },
    announce: async ({ id, repository: name, ref, before, after, actor: pusher }, actor) => {
      const repository = await find(name);
      const push = { ref, before, after, actor: pusher ?? actor };
      return repository && announcePush(submission, repository, push, idOf(actor, id));
    },
  };
}

interface Remotes {
  resolve(repository: Repository, revision: string): Promise<WantedCommit>;
  /** Folder of a mirror of this server that has the commit of the request. */
  locate(request: RunRequest): Promise<string>;
}

function remotesOf({ intake, secretBox }: Services, { config, environment }: ServeOptions): Remotes {
  const mirrors = createMirrors({ environment: environment.variables, folder: join(config.home, 'mirrors') });
  const remoteOf = (repository: Repository): Remote => {
    const { token } = readRepositorySecrets(secretBox, repository);
    return { id: repository.id, url: repository.cloneUrl, token };
  };
  return {
    resolve: (repository, revision) => mirrors.resolve(remoteOf(repository), revision),
    locate: async ({ repositoryId = '', trigger }) => {
      const repository = await intake.repository(repositoryId);
      if (!repository) throw new SluiceError('ERR_SOURCE', 'The repository of this run is known no more.');
      return mirrors.fetch(remoteOf(repository), trigger);
    },
  };
}

/** A status goes to the forge that the repository is fetched from, with the token that fetches it. */
function statusBook({ intake, secretBox }: Services, url: string): TargetBook {
  return {
    status: async (_name, { request, runId }) => {
      const repository = await intake.repository(request.repositoryId ?? '');
      if (!repository || repository.forge === 'git') return undefined;
      const api = forgeApi(repository.forge, repository.cloneUrl);
      const { token } = readRepositorySecrets(secretBox, repository);
      return api && { forge: repository.forge, api, token, runUrl: `${url}/v1/runs/${runId}` };
    },
    subscriber: () => Promise.resolve(undefined),
  };
}

/** Whoever adds a repository trusts its host, which may well be in a private network. */
async function forgeHosts({ intake }: Services): Promise<AddressRules> {
  const urls = (await intake.repositories()).flatMap(({ cloneUrl }) => URL.parse(cloneUrl) ?? []);
  return { hosts: [], privateHosts: urls.map(({ host }) => host) };
}

/** Why there is no server at the address, in words for who typed it. */
function notListening({ host, port }: Address, cause: unknown): SluiceError {
  return new SluiceError('ERR_USAGE', `Nothing can be served at ${host}:${port}: ${messageOf(cause)}`, {
    cause,
    hint: 'Choose another address with --listen HOST:PORT, or end what answers there; port 0 takes any free one.',
  });
}
