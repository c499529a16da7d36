import { Type } from 'typebox';
import { readTraceParent } from '../../model/trace-parent.ts';
import type { Delivery, Repository } from '../../store/intake.ts';
import { authorize } from '../access.ts';
import type { Subject } from '../access.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { badCursor, pageOf, pageQuery, pageSchema, positionOf } from '../pages.ts';
import { notFound } from '../problem.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import { deliverySchema, name, traceHeaders } from '../schemas.ts';

const closed = { additionalProperties: false };
const params = Type.Object({ deliveryId: Type.String({ pattern: '^[0-9a-f-]{36}$' }) }, closed);

export function deliveryRoutes(api: ApiDependencies): readonly Route[] {
  return [listDeliveries(api), getDelivery(api), replayDelivery(api)];
}

function listDeliveries({ intake }: ApiDependencies): Route {
  return route({
    method: 'GET',
    path: '/v1/deliveries',
    id: 'list-deliveries',
    summary: 'List announcements of changes and what became of them, newest first',
    tag: 'deliveries',
    access: { verb: 'read-deliveries', on: 'visible' },
    query: Type.Object({ repository: Type.Optional(name), ...pageQuery }, closed),
    answers: {
      200: {
        description: 'One page of the deliveries that the asker may see.',
        schema: pageSchema('deliveries', deliverySchema),
      },
    },
    handle: async ({ query: { repository, limit = 50, cursor }, subject }) => {
      const after = positionOf(cursor);
      if (after !== undefined && !(await intake.delivery(after))) throw badCursor();
      const shown = (await visible(intake, subject)).filter((one) => one.name === (repository ?? one.name));
      const names = new Map(shown.map((one) => [one.id, one.name]));
      const deliveries = await intake.deliveries({
        repositoryIds: [...names.keys()],
        ...(after !== undefined && { after }),
        limit: limit + 1,
      });
      const told = deliveries.map((delivery) => toldDelivery(delivery, names.get(delivery.repositoryId) ?? ''));
      return pageOf('deliveries', told, limit, ({ id }) => id);
    },
  });
}

function getDelivery({ intake }: ApiDependencies): Route {
  return route({
    method: 'GET',
    path: '/v1/deliveries/{deliveryId}',
    id: 'get-delivery',
    summary: 'What became of an announcement of a change',
    tag: 'deliveries',
    access: { verb: 'read-deliveries', on: 'delivery' },
    params,
    answers: { 200: { description: 'The delivery.', schema: deliverySchema } },
    handle: async ({ params: { deliveryId } }) => {
      const { delivery, repository } = await found(intake, deliveryId);
      return toldDelivery(delivery, repository.name);
    },
  });
}

function replayDelivery({ intake, replay }: ApiDependencies): Route {
  return route({
    method: 'POST',
    path: '/v1/deliveries/{deliveryId}/replay',
    id: 'replay-delivery',
    summary: 'Run again what a delivery announced',
    description: 'The same change in a new run, as a delivery of its own. 409 for a delivery that led to no run.',
    tag: 'deliveries',
    access: { verb: 'replay-delivery', on: 'delivery' },
    headers: traceHeaders,
    params,
    answers: { 201: { description: 'The new delivery, with its run.', schema: deliverySchema } },
    handle: async ({ params: { deliveryId }, request, reply }) => {
      const { delivery, repository } = await found(intake, deliveryId);
      const replayed = await replay(delivery, readTraceParent(request.headers['traceparent']));
      reply.code(201).header('location', `/v1/deliveries/${replayed.id}`);
      return toldDelivery(replayed, repository.name);
    },
  });
}

async function visible(intake: ApiDependencies['intake'], subject: Subject): Promise<readonly Repository[]> {
  return (await intake.repositories()).filter(
    ({ name: repository }) => authorize(subject, 'read-deliveries', { kind: 'repository', repository }) === 'allowed',
  );
}

async function found(intake: ApiDependencies['intake'], id: string) {
  const delivery = await intake.delivery(id);
  const repository = delivery && (await intake.repository(delivery.repositoryId));
  if (!repository) throw notFound();
  return { delivery, repository };
}

function toldDelivery({ id, event, receivedAt, outcome, reason, runId, forgeId }: Delivery, repository: string) {
  return { id, repository, forgeId, event, receivedAt, outcome, reason, ...(runId !== undefined && { runId }) };
}
