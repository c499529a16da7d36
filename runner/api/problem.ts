import { STATUS_CODES } from 'node:http';
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { SluiceError } from '../model/errors.ts';
import type { ErrorCode } from '../model/errors.ts';

export const problemType = 'application/problem+json';

/** What every error is told as (RFC 9457), with the place of the mistake and the next step. */
export const problemSchema = Type.Object(
  {
    type: Type.String({ description: 'Names the kind of problem: `urn:sluice:problem:` and its code.' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    code: Type.String({ description: 'For programs; never changes once shipped.' }),
    detail: Type.String({ description: 'What went wrong, in a sentence.' }),
    place: Type.Optional(Type.String({ description: 'Where the mistake is, such as `body/commit`.' })),
    next: Type.Optional(Type.String({ description: 'What to do about it.' })),
  },
  { additionalProperties: false },
);

export type Problem = Static<typeof problemSchema>;

interface Facts {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly place?: string | undefined;
  readonly next?: string | undefined;
}

/** Thrown by what answers a request; told to whoever asked. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(facts: Facts) {
    super(facts.detail);
    this.problem = problemOf(facts);
  }
}

export function problemOf({ status, code, detail, place, next }: Facts): Problem {
  return {
    type: `urn:sluice:problem:${code.replaceAll('_', '-')}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail,
    ...(place !== undefined && { place }),
    ...(next !== undefined && { next }),
  };
}

/** The same for what is not there and for what the asker may not see. */
export function notFound(): ApiError {
  return new ApiError({
    status: 404,
    code: 'not_found',
    detail: 'There is no such thing, or you may not see it.',
    next: 'Check the address and the scope of the token.',
  });
}

const statuses: Readonly<Record<ErrorCode, number>> = {
  ERR_NOT_FOUND: 404,
  ERR_FORBIDDEN: 403,
  ERR_GATE: 409,
  ERR_FENCED: 409,
  ERR_CONFLICT: 409,
  ERR_USAGE: 409,
  ERR_SOURCE: 422,
  ERR_LIMIT: 413,
  ERR_FULL: 503,
  ERR_ABORTED: 503,
  ERR_DISPLACED: 503,
  ERR_SERVICE: 503,
  ERR_SEALED: 503,
  ERR_UNSUPPORTED: 500,
  ERR_WORKSPACE: 500,
  ERR_UNREADABLE: 500,
  ERR_CORRUPT: 500,
  ERR_INTERNAL: 500,
};

/** Any error as a problem. What is our own fault says nothing of the inside. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  if (error instanceof SluiceError) return ofSluiceError(error);
  return ofFrameworkError(error) ?? internal();
}

function ofSluiceError({ code, message, hint }: SluiceError): Problem {
  const status = statuses[code];
  if (status === 404) return notFound().problem;
  if (status >= 500) return internal(status);
  return problemOf({ status, code: code.replace('ERR_', '').toLowerCase(), detail: message, next: hint });
}

function internal(status = 500): Problem {
  return problemOf({
    status,
    code: status === 503 ? 'unavailable' : 'internal',
    detail: 'Sluice could not answer this.',
    next: 'Try again; if it stays, look for the id of the request (x-request-id) in the log of the server.',
  });
}

interface Complaint {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

/** Where the validator's own words leave out what is to be written, or say it twice. */
const complaints: Readonly<Partial<Record<string, (params: Complaint['params']) => string>>> = {
  additionalProperties: () => 'is not known here',
  required: () => 'is missing',
  enum: ({ allowedValues }) => `must be one of ${(allowedValues as readonly unknown[]).map(String).join(', ')}`,
};

/** What the schema of a route refuses, with the first place at which it does. */
export function invalid(part: string, [first]: readonly Complaint[]): ApiError {
  const { instancePath = '', keyword = '', params = {}, message = 'is not valid' } = first ?? {};
  const named = keyword === 'additionalProperties' ? params['additionalProperty'] : params['missingProperty'];
  const place = `${part}${instancePath}${typeof named === 'string' ? `/${named}` : ''}`;
  const detail = `${place} ${complaints[keyword]?.(params) ?? message}.`;
  return new ApiError({
    status: 400,
    code: 'invalid',
    detail,
    place,
    next: 'The OpenAPI at /v1/openapi.json says what it takes.',
  });
}

/** Fastify's own refusals: a body that is no JSON, too large, of another type; an address that cannot be read. */
function ofFrameworkError(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  const { statusCode: status, message } = error;
  if (status < 400 || status > 499) return undefined;
  return problemOf({ status, code: codes[status] ?? 'bad_request', detail: message, next: nextSteps[status] });
}

const codes: Readonly<Record<number, string>> = {
  400: 'bad_request',
  404: 'not_found',
  405: 'method_not_allowed',
  406: 'not_acceptable',
  408: 'timeout',
  413: 'too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
  431: 'headers_too_large',
};

const nextSteps: Readonly<Record<number, string>> = {
  400: 'Check that the address is well-formed and the body is JSON.',
  413: 'Send less than 1 MiB.',
  415: 'Send application/json, and say so in content-type.',
};
