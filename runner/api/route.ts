import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static, TSchema } from 'typebox';
import type { RunRow } from '../store/store.ts';
import type { Access, Subject } from './access.ts';

/** One answer of a route: what it means and, by media type, what it holds. A schema alone is JSON. */
export interface Answer {
  readonly description: string;
  readonly schema?: TSchema;
  /** Media type of an answer that is not JSON. */
  readonly type?: string;
}

/** What a handler gets: the checked parts of the request, who asks, and the run that the address names. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly subject: Subject;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** The run that `runId` in the address names; the asker may see it. */
  readonly run: RunRow;
  /** Whether the asker still may what this route allowed; for answers that go on for long. */
  readonly stillAllowed: () => Promise<boolean>;
}

/**
 * A route, the one source for what Fastify checks, what the OpenAPI says, and who may call it. A handler answers the body:
 * a value for JSON, a stream for anything else.
 */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As in OpenAPI: `/v1/runs/{runId}`. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly access: Access;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly headers?: TSchema;
  readonly body?: TSchema;
  /**
   * The body is taken as the bytes that come, whatever their type, and so many at most. Who may send them is for the handler
   * to find out: what it refuses with 401 counts against its address, and nothing of it is audited.
   */
  readonly bytes?: number;
  readonly answers: Readonly<Record<number, Answer | readonly Answer[]>>;
  /** Bytes that are sent as they are, never packed. */
  readonly raw?: boolean;
  /** The answer holds a secret, which is told once and kept nowhere. */
  readonly secret?: boolean;
  readonly handle: (call: Call) => unknown;
}

type StaticOf<Schema> = Schema extends TSchema ? Static<Schema> : undefined;

type TypedRoute<Params, Query, Body> = Omit<Route, 'params' | 'query' | 'body' | 'handle'> & {
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly handle: (call: Call<StaticOf<Params>, StaticOf<Query>, StaticOf<Body>>) => unknown;
};

/** A route whose handler sees the types of its schemas: what Fastify has checked needs no second look. */
export function route<
  Params extends TSchema | undefined = undefined,
  Query extends TSchema | undefined = undefined,
  Body extends TSchema | undefined = undefined,
>(typed: TypedRoute<Params, Query, Body>): Route {
  return typed as unknown as Route;
}
