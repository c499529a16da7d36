import { Type } from 'typebox';
import type { Static } from 'typebox';
import { backendBody, backendName, deletionWish } from '../backend-body.ts';
import { prioritySchema } from '../priority.ts';

const closed = { additionalProperties: false };
const id = Type.String({
  minLength: 1,
  maxLength: 200,
  description:
    'Chosen by the client. The same id again, also after a reconnect, asks for the same thing, and is done once.',
});
const repository = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'Name of a repository that the server knows.',
});
const runId = Type.String({ pattern: '^[0-9a-z]+(-[0-9a-z]+)*$', maxLength: 40 });
const commit = Type.String({ pattern: '^([0-9a-f]{40}|[0-9a-f]{64})$' });
const position = Type.Integer({ minimum: 0, description: 'Place among the events of all runs.' });
const text = Type.String({ maxLength: 4_096 });

const logPart = Type.Object(
  {
    step: Type.String({ minLength: 1, maxLength: 300 }),
    attempt: Type.Integer({ minimum: 1 }),
    offset: Type.Integer({ minimum: 0 }),
  },
  closed,
);

const command = Type.Object(
  {
    run: Type.String({ minLength: 1, maxLength: 65_536, description: 'A script for `sh`.' }),
    image: Type.Optional(
      Type.String({ maxLength: 500, description: 'Runtime image; without it the default of the language.' }),
    ),
    junit: Type.Optional(Type.Array(text, { maxItems: 50 })),
    artifacts: Type.Optional(Type.Array(text, { maxItems: 50 })),
    timeout: Type.Optional(Type.String({ maxLength: 20, description: 'As in a pipeline file: `10m`.' })),
    env: Type.Optional(Type.Record(Type.String({ maxLength: 200 }), Type.String({ maxLength: 32_768 }))),
  },
  closed,
);

/** What clients say. `hello` is the first message of a connection. */
export const clientMessages = {
  hello: Type.Object({ type: Type.Literal('hello'), token: Type.String({ minLength: 1, maxLength: 10_000 }) }, closed),
  run: Type.Object(
    {
      type: Type.Literal('run'),
      id,
      repository,
      commit: Type.String({ minLength: 1, maxLength: 300, description: 'Full commit id, branch or tag.' }),
      command: Type.Optional(command),
      file: Type.Optional(
        Type.String({ maxLength: 500, description: 'Another pipeline file than the repository has.' }),
      ),
      priority: Type.Optional(prioritySchema),
    },
    closed,
  ),
  announce: Type.Object(
    {
      type: Type.Literal('announce'),
      id,
      repository,
      ref: Type.String({ pattern: '^refs/(heads|tags)/.+', maxLength: 4_096 }),
      before: commit,
      after: commit,
      actor: Type.Optional(Type.String({ maxLength: 200 })),
    },
    closed,
  ),
  subscribe: Type.Object(
    {
      type: Type.Literal('subscribe'),
      id,
      repository: Type.Optional(repository),
      runId: Type.Optional(runId),
      after: Type.Optional(position),
      logs: Type.Optional(Type.Boolean({ description: 'What steps print, too.' })),
      have: Type.Optional(
        Type.Array(logPart, {
          maxItems: 1_000,
          description:
            'Logs of the run that a lost connection cut off, and how many bytes of each came: they go on there.',
        }),
      ),
    },
    closed,
  ),
  unsubscribe: Type.Object({ type: Type.Literal('unsubscribe'), id }, closed),
  ack: Type.Object({ type: Type.Literal('ack'), subscription: id, position }, closed),
  cancel: Type.Object({ type: Type.Literal('cancel'), id, runId }, closed),
  approve: Type.Object(
    {
      type: Type.Literal('approve'),
      id,
      runId,
      step: Type.String({ minLength: 1, maxLength: 300 }),
      approved: Type.Boolean(),
      comment: Type.Optional(text),
    },
    closed,
  ),
  'create-backend': Type.Object({ type: Type.Literal('create-backend'), id, backend: backendBody }, closed),
  'get-backend': Type.Object(
    {
      type: Type.Literal('get-backend'),
      id,
      name: backendName,
      watch: Type.Optional(
        Type.Boolean({
          description: 'Each change is told, by this id as subscription, until `unsubscribe` or its end.',
        }),
      ),
    },
    closed,
  ),
  'delete-backend': Type.Object(
    {
      type: Type.Literal('delete-backend'),
      id,
      name: backendName,
      confirm: deletionWish.confirm,
      graceSeconds: Type.Optional(deletionWish.graceSeconds),
    },
    closed,
  ),
} as const;

const problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.String(),
  place: Type.Optional(Type.String()),
  next: Type.Optional(Type.String()),
});

/** What the server says. */
const serverMessages = {
  welcome: Type.Object(
    { type: Type.Literal('welcome'), subject: Type.String(), role: Type.String(), version: Type.String(), position },
    closed,
  ),
  accepted: Type.Object(
    {
      type: Type.Literal('accepted'),
      re: id,
      runId: Type.Optional(runId),
      outcome: Type.Optional(Type.Enum(['run', 'duplicate', 'ignored'])),
      reason: Type.Optional(Type.String()),
      answer: Type.Optional(
        Type.Unsafe<object>({
          type: 'object',
          description: 'To a message about a backend: what the route of that name answers, as openapi.json says.',
        }),
      ),
    },
    closed,
  ),
  refused: Type.Object({ type: Type.Literal('refused'), re: Type.Optional(id), problem }, closed),
  event: Type.Object(
    {
      type: Type.Literal('event'),
      subscription: id,
      position,
      runId,
      repository,
      event: Type.Object({ type: Type.String() }),
    },
    closed,
  ),
  log: Type.Object(
    {
      type: Type.Literal('log'),
      subscription: id,
      runId,
      step: Type.String(),
      attempt: Type.Integer({ minimum: 1 }),
      offset: Type.Integer({ minimum: 0, description: 'Bytes of the log before this part.' }),
      next: Type.Integer({ minimum: 1, description: 'Bytes of the log up to its end.' }),
      text: Type.String(),
    },
    closed,
  ),
  result: Type.Object(
    {
      type: Type.Literal('result'),
      subscription: id,
      position,
      runId,
      report: Type.Unsafe<unknown>({
        type: 'object',
        description: 'As `sluice show --json`: cli.schema.json#/$defs/runReport.',
      }),
    },
    closed,
  ),
  backend: Type.Object(
    {
      type: Type.Literal('backend'),
      subscription: id,
      name: backendName,
      status: Type.Optional(
        Type.Unsafe<object>({
          type: 'object',
          description:
            'As it is now: cli.schema.json#/$defs/backendStatus. Absent once it is gone, which is the last that is told.',
        }),
      ),
    },
    closed,
  ),
} as const;

export type ClientMessage = Static<(typeof clientMessages)[keyof typeof clientMessages]>;
export type ServerMessage = Static<(typeof serverMessages)[keyof typeof serverMessages]>;
export type MessageOf<Type extends ClientMessage['type']> = Extract<ClientMessage, { readonly type: Type }>;

/** The document `schemas/websocket.schema.json`. */
export function websocketSchema(): unknown {
  const refs = (kind: string, names: object) => Object.keys(names).map((name) => ({ $ref: `#/$defs/${kind}.${name}` }));
  const named = (kind: string, schemas: object) =>
    Object.entries(schemas).map(([name, schema]) => [`${kind}.${name}`, schema] as const);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'websocket.schema.json',
    title: 'Messages of the Sluice WebSocket protocol, version 1',
    $defs: {
      clientMessage: { oneOf: refs('client', clientMessages) },
      serverMessage: { oneOf: refs('server', serverMessages) },
      ...Object.fromEntries<unknown>([...named('client', clientMessages), ...named('server', serverMessages)]),
    },
  };
}
