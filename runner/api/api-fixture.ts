import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ExecutionContext } from 'ava';
import type { FastifyInstance } from 'fastify';
import { dispatchRuns } from '../engine/dispatcher.ts';
import { openWorld } from '../engine/engine-fixture.ts';
import { newRunId } from '../engine/new-run-id.ts';
import { createMirrors } from '../sources/mirrors.ts';
import type { Delivery, Repository } from '../store/intake.ts';
import { registerRepository } from '../store/register-repository.ts';
import { openSecretBox } from '../store/secret-box.ts';
import { readRepositorySecrets } from '../store/repository-secrets.ts';
import { receiveDelivery } from '../triggers/receive-delivery.ts';
import { requestRun } from '../triggers/request-run.ts';
import { replayDelivery } from '../triggers/replay-delivery.ts';
import type { World } from '../engine/engine-fixture.ts';
import type { Role } from './access.ts';
import { apiRoutes, createApi } from './create-api.ts';
import type { ApiDependencies, RunRequests } from './dependencies.ts';
import { openapiOf } from './openapi.ts';
import type { Route } from './route.ts';
import { createToken } from './tokens.ts';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Undefined where the answer is not JSON. */
  readonly json: unknown;
}

interface Asked {
  readonly method?: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server that really listens, over a real store and a real executor. Every answer is checked against the OpenAPI. */
export interface ApiWorld extends World {
  readonly url: string;
  readonly api: FastifyInstance;
  readonly routes: readonly Route[];
  readonly dependencies: ApiDependencies;
  readonly admin: string;
  readonly token: (
    role: Role,
    repositories?: readonly string[],
    more?: { readonly expiresAt?: number },
  ) => Promise<string>;
  readonly ask: (path: string, asked?: Asked) => Promise<Reply>;
  /** Runs a pipeline of the repository to its end through the API. */
  readonly run: (yaml: string, repository?: string) => Promise<string>;
  readonly begin: (yaml: string, repository?: string) => Promise<string>;
  readonly ended: (runId: string) => Promise<void>;
  /** Of a repository that is made known for it. */
  readonly commit: (yaml: string, repository?: string) => Promise<void>;
}

export async function openApi(t: ExecutionContext, change: Partial<ApiDependencies> = {}): Promise<ApiWorld> {
  const world = await openWorld(t);
  const { engine, store, logs, blobs } = world;
  const logger = { error: ignore, warn: ignore, info: ignore, debug: ignore };
  const repository = world.path('repository');
  const intake = await intakeOf(world);
  const queue = queueOf(world, logger);
  const dependencies: ApiDependencies = {
    engine,
    runs: queue.runs,
    store,
    ...intake,
    logs,
    blobs,
    clock: Date.now,
    logger,
    metrics: () => Promise.resolve('# nothing is measured here\n'),
    version: '1.2.3',
    strangersPerMinute: 100_000,
    ...change,
  };
  const api = await createApi(dependencies);
  const url = await api.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(async () => {
    await api.close();
    await queue.close();
  });
  const routes = apiRoutes(dependencies, new AbortController().signal);
  const token: ApiWorld['token'] = async (role, repositories, more = {}) => {
    const wish = { name: `${role}-of-${repositories?.join('+') ?? 'all'}`, role, createdBy: 'test', ...more };
    return (await createToken(store, { ...wish, ...(repositories && { repositories }) }, Date.now())).secret;
  };
  const admin = await token('admin');
  const check = checker(routes);
  const ask: ApiWorld['ask'] = async (path, { method = 'GET', token: bearer = admin, body, headers = {} } = {}) => {
    const reply = await send(url + path, method, body, {
      ...(bearer !== '' && { authorization: `Bearer ${bearer}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    });
    check(method, path, reply);
    return reply;
  };
  const commit: ApiWorld['commit'] = async (yaml, name = 'shop') => {
    await known(dependencies, name);
    await commitTo(repository, yaml);
  };
  return { ...world, dependencies, url, api, routes, admin, token, ask, commit, ...runsOf(ask, commit, dependencies) };
}

/** The real queue and its dispatcher. Whatever the address of a repository, its commits are those of the folder of the world. */
function queueOf(world: World, logger: ApiDependencies['logger']) {
  const { engine, store } = world;
  const mirrors = createMirrors({ environment: process.env, folder: world.path('mirrors') });
  const remote = { id: 'world', url: world.path('repository'), token: '' };
  const submission = { intake: store, clock: Date.now, notifyOf: () => [], newRunId };
  const runs: RunRequests = {
    request: (wish) => requestRun({ ...submission, resolve: (_, revision) => mirrors.resolve(remote, revision) }, wish),
    rerun: (runId, scope, traceParent) => engine.queueRerun(runId, scope, traceParent),
  };
  const stop = new AbortController();
  const dispatched = dispatchRuns(
    {
      ...{ engine, store, logger, most: { runs: 20, ofRepository: 20 } },
      locate: ({ trigger }) => mirrors.fetch(remote, trigger),
      ended: () => Promise.resolve(),
    },
    { stop: stop.signal, cancel: stop.signal },
  );
  const close = async (): Promise<void> => {
    stop.abort();
    await dispatched;
  };
  return { runs, close };
}

/** What the server joins for repositories and deliveries. */
async function intakeOf(world: World): Promise<Pick<ApiDependencies, 'intake' | 'register' | 'receive' | 'replay'>> {
  const { store, blobs } = world;
  const box = await openSecretBox(world.path('secrets'));
  const secretsOf = readRepositorySecrets.bind(undefined, box);
  const parts = { intake: store, store, blobs, clock: Date.now, newRunId, secretsOf, notifyOf: () => [] };
  return {
    intake: store,
    register: (wish) => registerRepository(store, box, wish, Date.now()),
    receive: (id, headers, body) => receiveDelivery(parts, id, headers, body),
    replay: (delivery, traceParent) => replayDelivery(parts, delivery, traceParent),
  };
}

/** A push to a repository that is made known for it. */
export async function announce({ dependencies, store }: ApiWorld, name: string, outcome = 'run'): Promise<Delivery> {
  const { id: repositoryId } = await known(dependencies, name);
  const [at, id] = [Date.now(), randomUUID()];
  const trigger = { event: 'push', ref: 'refs/heads/main', branch: 'main', tag: '', commit: 'c'.repeat(40) } as const;
  const request = { repository: name, repositoryId, trigger: { ...trigger, actor: 'ada' }, file: 'sluice.yaml' };
  const event = { type: 'run-requested', at, runId: newRunId(at), request: { ...request, dirty: false } } as const;
  const delivery = { id, repositoryId, forgeId: id, event: 'push', receivedAt: at, reason: '', payload: '' };
  return store.deliver({ delivery, boundTo: '7', ...(outcome === 'run' && { run: { event, change: id } }) });
}

/** A repository of this name, made known for it. */
async function known({ intake, register }: ApiDependencies, name: string): Promise<Repository> {
  const wish = { name, forge: 'gitea', cloneUrl: 'https://git.example/x.git', file: 'sluice.yaml' } as const;
  return (await intake.repositoryNamed(name)) ?? (await register({ ...wish, forks: 'ignore', token: '' })).repository;
}

async function commitTo(repository: string, yaml: string): Promise<void> {
  await writeFile(join(repository, 'sluice.yaml'), yaml);
  const git = (...words: readonly string[]) =>
    promisify(execFile)('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@t', ...words]);
  await git('add', '-A');
  await git('commit', '-q', '--allow-empty', '-m', 'change');
}

function runsOf(
  ask: ApiWorld['ask'],
  commit: ApiWorld['commit'],
  dependencies: ApiDependencies,
): Pick<ApiWorld, 'begin' | 'ended' | 'run'> {
  const begin = async (yaml: string, name = 'shop'): Promise<string> => {
    await commit(yaml, name);
    const {
      status,
      json,
      text: told,
    } = await ask('/v1/runs', { method: 'POST', body: { repository: name, commit: 'HEAD' } });
    if (status !== 201) throw new Error(told);
    return (json as { readonly runId: string }).runId;
  };
  const ended = async (runId: string): Promise<void> => {
    for (let tries = 0; tries < 300; tries++) {
      if ((await dependencies.store.run(runId))?.phase === 'finished') return;
      await delay(50);
    }
    throw new Error(`Run ${runId} does not end.`);
  };
  const run: ApiWorld['run'] = async (yaml, name) => {
    const runId = await begin(yaml, name);
    await ended(runId);
    return runId;
  };
  return { begin, ended, run };
}

/** By `node:http`, which sends what it is told and knows no cache. */
export function send(
  url: string,
  method: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (response) => {
      text(response).then((told) => {
        const isJson =
          /\/(problem\+)?json(;|$)/.test(response.headers['content-type'] ?? '') &&
          told !== '' &&
          response.headers['content-encoding'] === undefined;
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: told,
          json: isJson ? JSON.parse(told) : undefined,
        });
      }, reject);
    });
    asked.on('error', reject);
    asked.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
  });
}

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Told>> }>>>
  >;
}

interface Told {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

/** Throws at an answer that the OpenAPI does not promise. */
function checker(routes: readonly Route[]): (method: string, path: string, reply: Reply) => void {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  const document = openapiOf(routes, '0') as unknown as Document;
  ajv.addSchema(document, 'api');
  return (method, path, { status, headers, json, text: told }) => {
    const template = routes.find((route) => route.method === method && fits(route.path, path))?.path;
    const operation = template === undefined ? undefined : document.paths[template]?.[method.toLowerCase()];
    const answer = operation?.responses[status] ?? (status >= 400 ? operation?.responses['default'] : undefined);
    if (operation && !answer) throw new Error(`${method} ${path} answered ${status}, which nobody promised: ${told}`);
    const type = headers['content-type']?.split(';', 1)[0] ?? '';
    const promised = answer?.content?.[type];
    if (answer && told !== '' && !promised)
      throw new Error(`${method} ${path} answered ${type}, which nobody promised.`);
    if (!promised || json === undefined) return;
    const where = [
      'paths',
      template ?? '',
      method.toLowerCase(),
      'responses',
      operation?.responses[status] ? String(status) : 'default',
      'content',
      type,
      'schema',
    ];
    const pointer = where.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    if (!ajv.validate({ $ref: `api#/${pointer}` }, json))
      throw new Error(`${method} ${path}: ${ajv.errorsText()} in ${told}`);
  };
}

function fits(template: string, path: string): boolean {
  const pattern = template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/?]+');
  return new RegExp(`^${pattern}(\\?|$)`).test(path);
}

const ignore = (): undefined => undefined;
