import type { TSchema } from 'typebox';
import { problemSchema, problemType } from './problem.ts';
import type { Answer, Route } from './route.ts';
import { ref, sharedSchemas } from './schemas.ts';

/** The OpenAPI 3.1 document of the routes. Made here: their JSON Schemas go into it word for word. */
export function openapiOf(routes: readonly Route[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice',
      version,
      description: 'Times are milliseconds since the epoch. Every error is application/problem+json (RFC 9457).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token of Sluice, or one of the configured OpenID Connect issuer.',
        },
      },
      schemas: { ...sharedSchemas(), Problem: problemSchema },
    },
  };
}

function operationOf(route: Route): Record<string, unknown> {
  const { id, summary, description, tag, access, body, method } = route;
  const parameters = [
    ...parametersOf('path', route.params),
    ...parametersOf('query', route.query),
    ...parametersOf('header', route.headers),
    ...(method === 'POST' && access !== 'public' ? [idempotencyKey] : []),
  ];
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    tags: [tag],
    ...(access === 'public' && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(route.bytes !== undefined && { requestBody: payload }),
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, answer]) => [status, answerOf([answer].flat())]),
      ),
      ...(method === 'GET' && !route.answers[304] && { 304: { description: 'The asker has it already.' } }),
      default: { description: 'An error.', content: { [problemType]: { schema: ref('Problem') } } },
    },
  };
}

const payload = {
  required: true,
  content: { 'application/json': { schema: { description: 'The payload as the forge makes it.' } } },
};

const idempotencyKey = {
  name: 'idempotency-key',
  in: 'header',
  description: 'The same key with the same request gets the same answer, for a day, and is carried out once.',
  schema: { type: 'string', pattern: '^[!-~]{1,200}$' },
};

function parametersOf(place: 'path' | 'query' | 'header', schema: TSchema | undefined): readonly object[] {
  if (!schema || !('properties' in schema)) return [];
  const { properties } = schema as unknown as { readonly properties: Readonly<Record<string, TSchema>> };
  const required = 'required' in schema ? (schema.required as readonly string[]) : [];
  return Object.entries(properties).map(
    ([name, { description, ...rest }]: [string, TSchema & { description?: string }]) => ({
      name,
      in: place,
      required: required.includes(name),
      ...(description !== undefined && { description }),
      schema: rest,
    }),
  );
}

function answerOf(answers: readonly Answer[]): object {
  const content = answers.flatMap(({ type = 'application/json', schema, description }) =>
    schema
      ? [[type, { schema }] as const]
      : type === 'application/json'
        ? []
        : [[type, { schema: { description } }] as const],
  );
  return {
    description: answers.map(({ description }) => description).join(' '),
    ...(content.length > 0 && { content: Object.fromEntries(content) }),
  };
}
