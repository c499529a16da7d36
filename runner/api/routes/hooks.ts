import { Type } from 'typebox';
import type { Delivery } from '../../store/intake.ts';
import { deliveryLimits } from '../../triggers/limits.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError } from '../problem.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import { deliverySchema, traceHeaders } from '../schemas.ts';

const closed = { additionalProperties: false };
const { id, outcome, reason, runId } = deliverySchema.properties;
const received = Type.Object({ deliveries: Type.Array(Type.Object({ id, outcome, reason, runId }, closed)) }, closed);

/** Where forges announce changes. Signatures are over the bytes as they came, so that nothing parses them before. */
export function hookRoute({ receive, logger }: ApiDependencies): Route {
  return route({
    method: 'POST',
    path: '/hooks/{repositoryId}',
    id: 'receive-delivery',
    summary: 'Where a forge announces changes',
    description:
      'No token, but the signature of the forge with the secret of the hook. Refused deliveries of an address are limited in number, genuine ones are not. The same delivery again gets the same answer.',
    tag: 'deliveries',
    access: 'public',
    headers: traceHeaders,
    bytes: deliveryLimits.bodyBytes,
    params: Type.Object({ repositoryId: Type.String() }, closed),
    answers: {
      202: {
        description: 'What became of each change in the delivery; it is stored, runs included.',
        schema: received,
      },
    },
    handle: async ({ params: { repositoryId }, request, reply }) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const reception = await receive(repositoryId, request.headers, body);
      if (reception.kind === 'received') {
        reply.code(202);
        return { deliveries: reception.deliveries.map(toldDelivery) };
      }
      logger.info('delivery refused', { requestId: request.id, repositoryId, ...reception });
      throw reception.kind === 'refused' ? notGenuine() : malformed(reception.message);
    },
  });
}

function toldDelivery(delivery: Delivery) {
  return {
    id: delivery.id,
    outcome: delivery.outcome,
    reason: delivery.reason,
    ...(delivery.runId !== undefined && { runId: delivery.runId }),
  };
}

/** The same for a repository that is not there, one without a secret, and a wrong signature. */
function notGenuine(): ApiError {
  return new ApiError({
    status: 401,
    code: 'not_genuine',
    detail: 'There is no such hook, or the delivery is not signed with its secret.',
    next: 'Compare the address and the secret of the hook with those that were told when the repository was added.',
  });
}

function malformed(detail: string): ApiError {
  return new ApiError({ status: 400, code: 'malformed', detail, next: 'Send the payload as the forge makes it.' });
}
