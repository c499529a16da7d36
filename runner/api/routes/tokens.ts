import { Type } from 'typebox';
import type { ApiDependencies } from '../dependencies.ts';
import { numberOf, pageOf, pageQuery, pageSchema, positionOf } from '../pages.ts';
import { ApiError } from '../problem.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import { auditSchema, name, roleSchema, tokenSchema } from '../schemas.ts';
import { createToken } from '../tokens.ts';

const closed = { additionalProperties: false };
const tokenId = Type.String({ pattern: '^[0-9a-f]{16}$' });
const access = { verb: 'manage-tokens', on: 'installation' } as const;

export function tokenRoutes(api: ApiDependencies): readonly Route[] {
  const { store } = api;
  return [
    route({
      method: 'GET',
      path: '/v1/tokens',
      id: 'list-tokens',
      summary: 'List tokens, newest first; never their secrets',
      tag: 'tokens',
      access,
      query: Type.Object(pageQuery, closed),
      answers: { 200: { description: 'One page of tokens.', schema: pageSchema('tokens', tokenSchema) } },
      handle: async ({ query: { limit = 50, cursor } }) => {
        const after = positionOf(cursor);
        const tokens = await store.tokens({ ...(after !== undefined && { after }), limit: limit + 1 });
        return pageOf('tokens', tokens, limit, ({ id }) => id);
      },
    }),
    ...tokenChanges(api),
  ];
}

function tokenChanges({ store, clock }: ApiDependencies): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/tokens',
      id: 'create-token',
      summary: 'Make a token',
      tag: 'tokens',
      access,
      secret: true,
      body: Type.Object(
        {
          name,
          role: roleSchema,
          repositories: Type.Optional(
            Type.Array(name, { maxItems: 1_000, description: 'Names; without it all, also those to come.' }),
          ),
          expiresAt: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: Number.MAX_SAFE_INTEGER,
              description: 'Milliseconds since the epoch.',
            }),
          ),
        },
        closed,
      ),
      answers: {
        201: {
          description: 'The token with its secret, which is never told again.',
          schema: Type.Object({ token: tokenSchema, secret: Type.String() }, closed),
        },
      },
      handle: async ({ body, subject, reply }) => {
        if (body.expiresAt !== undefined && body.expiresAt <= clock()) throw past();
        reply.code(201);
        return createToken(store, { ...body, createdBy: subject.name }, clock());
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/tokens/{tokenId}',
      id: 'revoke-token',
      summary: 'Revoke a token; streams that it opened end within seconds',
      tag: 'tokens',
      access,
      params: Type.Object({ tokenId }, closed),
      answers: { 200: { description: 'The token, which is good for nothing now.', schema: tokenSchema } },
      handle: ({ params }) => store.revokeToken(params.tokenId, clock()),
    }),
  ];
}

export function auditRoutes({ store }: ApiDependencies): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/audit',
      id: 'list-audit',
      summary: 'Who asked for what, oldest first',
      description: 'Each hash covers its entry and the hash before it.',
      tag: 'audit',
      access: { verb: 'read-audit', on: 'installation' },
      query: Type.Object(pageQuery, closed),
      answers: { 200: { description: 'One page of entries.', schema: pageSchema('entries', auditSchema) } },
      handle: async ({ query: { limit = 50, cursor } }) =>
        pageOf('entries', await store.audit(numberOf(cursor), limit + 1), limit, ({ position }) => position),
    }),
  ];
}

function past(): ApiError {
  return new ApiError({
    status: 400,
    code: 'invalid',
    detail: 'The token would have ended before it began.',
    place: 'body/expiresAt',
    next: 'Give a time in the future, in milliseconds since the epoch.',
  });
}
