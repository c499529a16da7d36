import { Type } from 'typebox';
import type { FeedEntry } from '../../store/server-records.ts';
import type { Subject } from '../access.ts';
import { authorize } from '../access.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { feedReader } from '../feed-reader.ts';
import { cursorOf, numberOf, pageOf, pageQuery, pageSchema } from '../pages.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import { eventSchema, runParams } from '../schemas.ts';
import { sendMessages } from '../stream.ts';
import type { Message } from '../stream.ts';

const closed = { additionalProperties: false };
const batch = 500;
const lastEventId = Type.Object({ 'last-event-id': Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })) });
const stream = {
  200: { description: 'One server-sent event per event, named by its type.', type: 'text/event-stream' },
};

const runEvent = Type.Object({ runId: Type.String(), event: eventSchema.properties.event }, closed);

export function eventRoutes(api: ApiDependencies, closing: AbortSignal): readonly Route[] {
  const { store } = api;
  return [
    route({
      method: 'GET',
      path: '/v1/events',
      id: 'list-events',
      summary: 'What happened in all runs, oldest first',
      tag: 'events',
      access: { verb: 'read-runs', on: 'visible' },
      query: Type.Object(pageQuery, closed),
      answers: {
        200: {
          description: 'One page; `next` is there always, for what is still to come.',
          schema: pageSchema('events', eventSchema),
        },
      },
      handle: async ({ query: { limit = 50, cursor }, subject }) => {
        const after = numberOf(cursor);
        const entries = await store.feed(after, limit);
        const next = cursorOf(entries.at(-1)?.position ?? after);
        return { events: entries.filter((entry) => isVisible(subject, entry)), next };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/events/stream',
      id: 'follow-events',
      summary: 'What happens in all runs, as server-sent events',
      description:
        '`last-event-id` goes on behind that event, 0 begins at the first; without it only what is still to come.',
      tag: 'events',
      access: { verb: 'read-runs', on: 'visible' },
      raw: true,
      headers: lastEventId,
      answers: stream,
      handle: async (call) => {
        const from = Number(call.request.headers['last-event-id'] ?? (await store.feedEnd()));
        const read = feedReader(store, from, batch);
        const next = async (): Promise<readonly Message[]> =>
          (await read()).filter((entry) => isVisible(call.subject, entry)).map(toMessage);
        return sendMessages(call, closing, next);
      },
    }),
    ...runEventRoutes(api, closing),
  ];
}

function runEventRoutes({ store }: ApiDependencies, closing: AbortSignal): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/runs/{runId}/events',
      id: 'list-run-events',
      summary: 'What happened in a run, oldest first',
      tag: 'events',
      access: { verb: 'read-runs', on: 'run' },
      params: runParams,
      query: Type.Object(pageQuery, closed),
      answers: { 200: { description: 'One page.', schema: pageSchema('events', runEvent) } },
      handle: async ({ run: { runId }, query: { limit = 50, cursor } }) => {
        const events = await store.events(runId, numberOf(cursor));
        const page = events.slice(0, limit + 1).map((event) => ({ runId, event }));
        return pageOf('events', page, limit, ({ event }) => event.version);
      },
    }),
    route({
      method: 'GET',
      path: '/v1/runs/{runId}/events/stream',
      id: 'follow-run-events',
      summary: 'What happens in a run from its beginning, as server-sent events',
      description:
        'The id of an event is its version: `last-event-id` goes on behind it. The stream ends with the run.',
      tag: 'events',
      access: { verb: 'read-runs', on: 'run' },
      raw: true,
      params: runParams,
      headers: lastEventId,
      answers: stream,
      handle: (call) => {
        const { runId } = call.run;
        let version = Number(call.request.headers['last-event-id'] ?? 0);
        let over = false;
        const next = async (): Promise<readonly Message[] | undefined> => {
          if (over) return undefined;
          const events = await store.events(runId, version);
          version = events.at(-1)?.version ?? version;
          over = events.some(({ type }) => type === 'run-finished') || (await isOver(version));
          return events.map((event) => ({ id: String(event.version), event: event.type, data: { runId, event } }));
        };
        const isOver = async (seen: number): Promise<boolean> => {
          const run = await store.run(runId);
          return run?.phase === 'finished' && run.version <= seen;
        };
        return sendMessages(call, closing, next);
      },
    }),
  ];
}

function isVisible(subject: Subject, { repository }: FeedEntry): boolean {
  return authorize(subject, 'read-runs', { kind: 'repository', repository }) === 'allowed';
}

function toMessage({ position, runId, repository, event }: FeedEntry): Message {
  return { id: String(position), event: event.type, data: { position, runId, repository, event } };
}
