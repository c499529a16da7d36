import { randomUUID } from 'node:crypto';
import { fastify } from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import type { ApiDependencies } from './dependencies.ts';
import { notFound, problemType, toProblem } from './problem.ts';
import type { Problem } from './problem.ts';
import type { Route } from './route.ts';
import { healthRoutes } from './routes/health.ts';

const bodyLimit = 1_048_576;

/** The JSON API over the ports. It does not listen; `close` ends what it still answers. */
export function createApi(dependencies: ApiDependencies): FastifyInstance {
  const api = fastify({
    bodyLimit,
    requestTimeout: 30_000,
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    genReqId: () => randomUUID(),
    http: { maxHeaderSize: 16_384, headersTimeout: 10_000 },
    // A parameter can be the name of a step.
    routerOptions: { maxParamLength: 1_000 },
    frameworkErrors: (error, _request, reply) => void tell(reply as unknown as FastifyReply, toProblem(error)),
  });
  api.removeContentTypeParser('text/plain');
  api.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  api.setNotFoundHandler(() => {
    throw notFound();
  });
  api.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500) dependencies.logger.error('request failed', { requestId: request.id, error });
    return tell(reply, problem);
  });
  for (const route of routesOf(dependencies)) register(api, route);
  return api;
}

function routesOf(dependencies: ApiDependencies): readonly Route[] {
  return [...healthRoutes(dependencies)];
}

function register(api: FastifyInstance, { method, path, handle }: Route): void {
  api.route({
    method,
    url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
    handler: (request, reply) => handle({ request, reply } as never),
  });
}

function tell(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).type(problemType).send(problem);
}
