import { Type } from 'typebox';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError } from '../problem.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';

const healthSchema = Type.Object(
  { status: Type.Literal('ok'), version: Type.String() },
  { additionalProperties: false },
);

export function healthRoutes({ store, version }: ApiDependencies): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/healthz',
      id: 'health',
      summary: 'Whether the process answers',
      tag: 'operation',
      access: 'public',
      answers: { 200: { description: 'It does.', schema: healthSchema } },
      handle: () => ({ status: 'ok', version }),
    }),
    route({
      method: 'GET',
      path: '/readyz',
      id: 'ready',
      summary: 'Whether the store answers too',
      tag: 'operation',
      access: 'public',
      answers: { 200: { description: 'Requests can be answered.', schema: healthSchema } },
      handle: async () => {
        await store.changes().catch(() => {
          throw new ApiError({
            status: 503,
            code: 'unavailable',
            detail: 'The store does not answer.',
            next: 'The log of the server says why.',
          });
        });
        return { status: 'ok', version };
      },
    }),
  ];
}
