import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import compress from '@fastify/compress';
import rateLimit from '@fastify/rate-limit';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { AnySchema } from 'ajv';
import { fastify } from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { createAuthenticate } from './authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';
import { openapiOf } from './openapi.ts';
import { ApiError, invalid, problemOf, problemType, toProblem } from './problem.ts';
import type { Problem } from './problem.ts';
import { registerRoutes } from './register-routes.ts';
import type { Route } from './route.ts';
import { artifactRoutes } from './routes/artifacts.ts';
import { backendRoutes } from './routes/backends.ts';
import { deliveryRoutes } from './routes/deliveries.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { hookRoute } from './routes/hooks.ts';
import { logRoutes } from './routes/logs.ts';
import { metricsRoute } from './routes/metrics.ts';
import { openapiRoute } from './routes/openapi.ts';
import { repositoryRoutes } from './routes/repositories.ts';
import { runRoutes } from './routes/runs.ts';
import { testRoutes } from './routes/tests.ts';
import { auditRoutes, tokenRoutes } from './routes/tokens.ts';

const bodyLimit = 1_048_576;

/** The JSON API over the ports. It does not listen; `close` ends what it still answers. */
export async function createApi(dependencies: ApiDependencies): Promise<FastifyInstance> {
  const api = createServer();
  const closing = new AbortController();
  api.addHook('preClose', (done) => {
    closing.abort();
    done();
  });
  // A connection that was busy when the server began to close would be kept for the next request, and hold up the end.
  api.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing.signal.aborted) reply.header('connection', 'close');
    done();
  });
  useProblems(api, dependencies);
  useValidators(api);
  // Answers only: what is sent packed could unpack to more than a body may hold.
  await api.register(compress, { encodings: ['gzip'], globalDecompression: false });
  await api.register(rateLimit, { global: false });
  const perMinute = dependencies.strangersPerMinute ?? 300;
  const strangers = api.createRateLimit({ max: perMinute, timeWindow: 60_000 });
  registerRoutes(api, apiRoutes(dependencies, closing.signal), {
    dependencies,
    authenticate: createAuthenticate(dependencies),
    limitStranger: async (request) => {
      const verdict = await strangers(request);
      if (!verdict.isAllowed && verdict.isExceeded) throw tooMany(verdict.ttlInSeconds);
    },
  });
  return api;
}

/** Every route; the one source of the server, of its OpenAPI and of the matrix of who may call what. */
export function apiRoutes(dependencies: ApiDependencies, closing: AbortSignal): readonly Route[] {
  const routes = [
    ...healthRoutes(dependencies),
    ...runRoutes(dependencies),
    ...logRoutes(dependencies, closing),
    ...artifactRoutes(dependencies),
    ...testRoutes(dependencies),
    ...eventRoutes(dependencies, closing),
    ...repositoryRoutes(dependencies),
    ...deliveryRoutes(dependencies),
    ...backendRoutes(dependencies),
    hookRoute(dependencies),
    metricsRoute(dependencies),
    ...auditRoutes(dependencies),
    ...tokenRoutes(dependencies),
  ];
  return [...routes, openapiRoute((own) => openapiOf([...routes, own], dependencies.version))];
}

function createServer(): FastifyInstance {
  return fastify({
    bodyLimit,
    requestTimeout: 30_000,
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    genReqId: () => randomUUID(),
    // Node looks for requests that are too slow every 30 seconds by itself.
    http: { maxHeaderSize: 16_384, headersTimeout: 10_000, connectionsCheckingInterval: 5_000 },
    // A parameter can be the name of a step.
    routerOptions: { maxParamLength: 1_000 },
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id);
      void tell(reply, toProblem(error));
    },
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
      socket.end(rawProblem(statusOfClientError(error.code)));
    },
  });
}

function useProblems(api: FastifyInstance, { logger }: ApiDependencies): void {
  api.removeContentTypeParser('text/plain');
  api.addHook('onRequest', (request, reply, done) => {
    reply.headers({
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
      'referrer-policy': 'no-referrer',
    });
    done();
  });
  api.setNotFoundHandler(() => {
    throw new ApiError({
      status: 404,
      code: 'not_found',
      detail: 'There is nothing at this address: the API is below /v1, the hooks of forges are below /hooks.',
      next: 'GET /v1/openapi.json describes all of it.',
    });
  });
  api.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500) logger.error('request failed', { requestId: request.id, error });
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="sluice"');
    if (problem.status === 401 || problem.status === 404) reply.header('cache-control', 'no-store');
    // Headers of the answer that was not given.
    for (const name of ['content-length', 'content-disposition', 'accept-ranges', 'etag']) reply.removeHeader(name);
    return tell(reply, problem);
  });
}

/** Text becomes a number or a truth value in addresses only; a body says what it means. */
function useValidators(api: FastifyInstance): void {
  const exact = new Ajv2020({ useDefaults: true, strict: false });
  const fromText = new Ajv2020({ useDefaults: true, strict: false, coerceTypes: true });
  api.setValidatorCompiler(({ schema, httpPart }) => {
    const validate = (httpPart === 'body' ? exact : fromText).compile(schema as AnySchema);
    const part =
      { body: 'body', querystring: 'query', params: 'path', headers: 'header' }[httpPart ?? 'body'] ?? 'body';
    return (data: unknown) => {
      if (validate(data)) return { value: data };
      return { error: invalid(part, validate.errors ?? []) };
    };
  });
  api.setSerializerCompiler(() => (data) => JSON.stringify(data));
  api.setSchemaErrorFormatter((errors) => (errors instanceof Error ? errors : new Error('not valid')));
}

function tell(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).type(problemType).send(problem);
}

function tooMany(seconds: number): ApiError {
  return new ApiError({
    status: 429,
    code: 'too_many_requests',
    detail: 'There were too many requests without a good token or signature from this address.',
    next: `Wait ${seconds} seconds, and send a token, or sign with the secret of the hook.`,
  });
}

function statusOfClientError(code: string | undefined): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}

/** For what is no HTTP request, so that nothing of the framework sees it. */
function rawProblem(status: number): string {
  const body = JSON.stringify(
    problemOf({
      status,
      code: status === 431 ? 'headers_too_large' : status === 408 ? 'timeout' : 'bad_request',
      detail: 'This is no request that can be read.',
      next: 'Send HTTP/1.1, at most 16 KiB of headers, without long breaks.',
    }),
  );
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: ${problemType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
}
