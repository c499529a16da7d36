import type { FastifyInstance } from 'fastify';
import type { Logger } from '../model/logger.ts';
import type { Reception } from '../triggers/receive-delivery.ts';
import { deliveryLimits } from '../triggers/limits.ts';
import type { Headers } from '../triggers/forge.ts';
import { ApiError } from './problem.ts';

export interface HookDependencies {
  readonly receive: (repositoryId: string, headers: Headers, body: Buffer) => Promise<Reception>;
  readonly logger: Logger;
}

/** Where forges announce changes. Signatures are over the bytes as they came, so that nothing parses them before. */
export function registerHooks(api: FastifyInstance, { receive, logger }: HookDependencies): void {
  void api.register((hooks, _options, done) => {
    hooks.removeAllContentTypeParsers();
    hooks.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body));
    hooks.post<{ Params: { repositoryId: string } }>(
      '/hooks/:repositoryId',
      { bodyLimit: deliveryLimits.bodyBytes },
      async (request, reply) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const { repositoryId } = request.params;
        const reception = await receive(repositoryId, request.headers, body);
        if (reception.kind === 'received')
          return reply.code(202).send({
            deliveries: reception.deliveries.map(({ id, outcome, reason, runId }) => ({ id, outcome, reason, runId })),
          });
        logger.info('delivery refused', { requestId: request.id, repositoryId, ...reception });
        throw reception.kind === 'refused' ? notGenuine() : malformed(reception.message);
      },
    );
    done();
  });
}

/** The same for a repository that is not there, one without a secret, and a wrong signature. */
function notGenuine(): ApiError {
  return new ApiError({
    status: 401,
    code: 'not_genuine',
    detail: 'There is no such hook, or the delivery is not signed with its secret.',
    next: 'Compare the address and the secret of the hook with those that `sluice repository add` printed.',
  });
}

function malformed(detail: string): ApiError {
  return new ApiError({ status: 400, code: 'malformed', detail, next: 'Send the payload as the forge makes it.' });
}
