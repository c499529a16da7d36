import { Type } from 'typebox';
import { route } from '../route.ts';
import type { Route } from '../route.ts';

/** The document speaks of this route too. */
export function openapiRoute(documentWith: (own: Route) => unknown): Route {
  const own: Route = route({
    method: 'GET',
    path: '/v1/openapi.json',
    id: 'get-openapi',
    summary: 'This description of the API',
    tag: 'operation',
    access: 'public',
    answers: { 200: { description: 'OpenAPI 3.1.', schema: Type.Object({ openapi: Type.String() }) } },
    handle: () => documentWith(own),
  });
  return own;
}
