import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { Authenticate } from './authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';
import { admit, permit } from './guard.ts';
import type { Admission } from './guard.ts';
import { earlierAnswer, keyedRequest } from './idempotency.ts';
import { ApiError } from './problem.ts';
import type { Answer, Call, Route } from './route.ts';

interface Surroundings {
  readonly dependencies: ApiDependencies;
  readonly authenticate: Authenticate;
  /** Counts a request without a good token; 429 when its address made too many. */
  readonly limitStranger: (request: FastifyRequest) => Promise<void>;
}

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export function registerRoutes(api: FastifyInstance, routes: readonly Route[], around: Surroundings): void {
  for (const route of routes) {
    if (route.bytes === undefined) register(api, route, around);
    else registerForBytes(api, route, around);
  }
  for (const path of new Set(routes.map((route) => route.path))) refuseOtherMethods(api, path, routes);
}

function registerForBytes(api: FastifyInstance, route: Route, around: Surroundings): void {
  void api.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body));
    register(scope, route, around);
    done();
  });
}

function register(api: FastifyInstance, route: Route, around: Surroundings): void {
  // Nothing is open by being forgotten, whatever the types were told.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- a check for what types cannot see
  if (route.access === undefined)
    throw new TypeError(`The route ${route.method} ${route.path} does not say who may call it.`);
  const admissions = new WeakMap<FastifyRequest, Admission>();
  const { params, query, headers, body, raw, bytes } = route;
  api.route({
    method: route.method,
    url: urlOf(route.path),
    ...(raw && { compress: false }),
    ...(bytes !== undefined && { bodyLimit: bytes }),
    schema: {
      ...(params && { params }),
      ...(query && { querystring: query }),
      ...(headers && { headers }),
      ...(body && { body }),
    },
    onRequest: async (request) => {
      refuseUnacceptable(request, route);
      admissions.set(request, await enter(request, route, around));
    },
    handler: (request, reply) => answer(route, around, request, reply, admissions.get(request)),
  });
}

async function enter(request: FastifyRequest, { access, bytes }: Route, around: Surroundings): Promise<Admission> {
  if (access === 'public' && bytes === undefined) await around.limitStranger(request);
  return limitingStrangers(request, around, () => admit(request, access, around.authenticate, around.dependencies));
}

/** What ends with 401 counts against its address; nothing else does. */
async function limitingStrangers<Value>(
  request: FastifyRequest,
  { limitStranger }: Surroundings,
  act: () => Value,
): Promise<Awaited<Value>> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ApiError && error.problem.status === 401) await limitStranger(request);
    throw error;
  }
}

async function answer(
  route: Route,
  around: Surroundings,
  request: FastifyRequest,
  reply: FastifyReply,
  admission: Admission | undefined,
): Promise<unknown> {
  if (!admission) throw new TypeError(`${route.method} ${route.path} was reached without being let in.`);
  const call = callOf(route, around, request, reply, admission);
  if (route.bytes !== undefined) return limitingStrangers(request, around, () => route.handle(call as Call));
  if (route.method !== 'GET') return carryOut(route, around.dependencies, call);
  const value = await route.handle(call as Call);
  if (value instanceof Readable || value === reply || route.raw) return value;
  return tagged(request, reply, JSON.stringify(value));
}

function callOf(
  { access }: Route,
  { authenticate, dependencies }: Surroundings,
  request: FastifyRequest,
  reply: FastifyReply,
  { subject, run }: Admission,
): Omit<Call, 'run'> & { readonly run: Call['run'] | undefined } {
  const { params, query, body } = request;
  if (access !== 'public' && access.on === 'repository')
    permit(subject, access.verb, repositoryIn(body) ?? repositoryIn(query) ?? repositoryIn(params));
  const stillAllowed = async (): Promise<boolean> => {
    try {
      await admit(request, access, authenticate, dependencies);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.problem.status < 500) return false;
      throw error;
    }
  };
  return { params, query, body, subject, request, reply, run, stillAllowed };
}

function repositoryIn(part: unknown): string | undefined {
  return typeof part === 'object' && part !== null && 'repository' in part ? String(part.repository) : undefined;
}

/** What changes something is written down before it is done, and done once for one key. */
async function carryOut(
  route: Route,
  { store, clock }: ApiDependencies,
  call: ReturnType<typeof callOf>,
): Promise<unknown> {
  const { request, reply, subject, body } = call;
  const { method, url, id: requestId } = request;
  const keyed =
    method === 'POST' ? keyedRequest(subject.name, request.headers['idempotency-key'], method, url, body) : undefined;
  const earlier = keyed && (await earlierAnswer(store, keyed));
  if (earlier) return reply.code(earlier.status).type(json).header('idempotent-replayed', 'true').send(earlier.body);
  await store.addAudit({ at: clock(), actor: subject.name, action: route.id, object: url, requestId });
  try {
    const text = JSON.stringify(await route.handle(call as Call));
    if (keyed)
      await store.keepAnswer(keyed.subject, keyed.key, {
        status: reply.statusCode,
        ...(!route.secret && { body: text }),
      });
    return await reply.type(json).send(text);
  } catch (error) {
    if (keyed) await store.dropAnswer(keyed.subject, keyed.key);
    throw error;
  }
}

const json = 'application/json; charset=utf-8';

/** Weak, because the same answer may be sent packed. */
function tagged(request: FastifyRequest, reply: FastifyReply, text: string): unknown {
  const etag = `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
  reply
    .header('etag', etag)
    .header('cache-control', 'private, no-cache')
    .header('vary', 'authorization, accept-encoding');
  const known = request.headers['if-none-match'];
  if (known === '*' || known?.split(',').some((tag) => tag.trim() === etag)) return reply.code(304).send();
  return reply.type(json).send(text);
}

/** 406 for whoever wants none of what the route has. */
function refuseUnacceptable({ headers: { accept } }: FastifyRequest, { answers, bytes }: Route): void {
  // A forge that wants another answer is listened to all the same.
  if (accept === undefined || bytes !== undefined) return;
  const offered = Object.values(answers)
    .flatMap((answer): readonly Answer[] => [answer].flat())
    .map(({ type = 'application/json' }) => type);
  const wanted = accept.split(',').map((range) => range.split(';', 1)[0]?.trim().toLowerCase() ?? '');
  const fits = wanted.some((range) =>
    offered.some((type) => range === type || range === '*/*' || range === `${type.split('/', 1)[0] ?? ''}/*`),
  );
  if (fits) return;
  throw new ApiError({
    status: 406,
    code: 'not_acceptable',
    detail: `This is told as ${[...new Set(offered)].join(' or ')}.`,
    place: 'header/accept',
    next: 'Leave `accept` out, or name one of these.',
  });
}

function refuseOtherMethods(api: FastifyInstance, path: string, routes: readonly Route[]): void {
  const own = routes.filter((route) => route.path === path).map(({ method }): HTTPMethods => method);
  const allowed: readonly HTTPMethods[] = own.includes('GET') ? [...own, 'HEAD'] : own;
  api.route({
    method: methods.filter((method) => !allowed.includes(method)),
    url: urlOf(path),
    // Before a body is looked at, which such methods may have of any type.
    onRequest: (_request, reply, done) => {
      reply.header('allow', allowed.join(', '));
      done(
        new ApiError({
          status: 405,
          code: 'method_not_allowed',
          detail: `There is only ${allowed.join(' and ')} here.`,
          next: 'GET /v1/openapi.json lists what there is.',
        }),
      );
    },
    handler: () => undefined,
  });
}

function urlOf(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}
