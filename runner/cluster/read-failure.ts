import { messageOf } from '../model/errors.ts';
import type { Call } from './call.ts';
import { ClusterError } from './cluster-error.ts';
import type { CallOutcome, FailureReason, StatusCause } from './cluster-error.ts';
import { ConnectError } from './transport.ts';

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

/** What is read of a Status (apimachinery, meta/v1). */
interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly name?: string;
    readonly causes?: readonly StatusCause[];
    readonly retryAfterSeconds?: number;
  };
}

const maxForeignText = 200;

/** An answer of 400 and above. */
export function refusal(call: Call, answer: Answer, now: number): ClusterError {
  const status = readStatus(answer.text);
  const retryAfterMs = retryAfter(answer.retryAfter, status, now);
  const reason = reasonOf(status);
  const text = status?.message ?? `HTTP ${answer.status} ${answer.text.slice(0, maxForeignText).trim()}`.trim();
  return new ClusterError(
    `${call.title}: ${text}`,
    {
      status: answer.status,
      reason,
      outcome: outcomeOf(call, answer.status, retryAfterMs),
      causes: status?.details?.causes ?? [],
      retryAfterMs,
    },
    hint(reason),
  );
}

/** Webhooks may refuse without a reason. A 404 that names no object says nothing about one. */
function reasonOf(status: Status | undefined): FailureReason {
  if (!status) return 'Unreadable';
  if (status.reason === 'NotFound' && !status.details?.name) return 'NotServed';
  return status.reason ?? 'Unknown';
}

/** A server that is too busy says so before it does anything; after another 5xx nobody knows what was done. */
function outcomeOf(call: Call, status: number, retryAfterMs: number | undefined): CallOutcome {
  if (call.method === 'GET' || status < 500) return 'refused';
  return status === 503 && retryAfterMs !== undefined ? 'refused' : 'unknown';
}

/** `undefined` for anything but a Status of Kubernetes, such as the page of a proxy. */
function readStatus(text: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isStatus(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function retryAfter(header: string | undefined, status: Status | undefined, now: number): number | undefined {
  if (header === undefined || header === '') {
    const seconds = status?.details?.retryAfterSeconds;
    return seconds === undefined ? undefined : seconds * 1_000;
  }
  if (/^\d+$/.test(header)) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** No answer, or not all of it. */
export function breakdown(call: Call, error: unknown): ClusterError {
  if (error instanceof ClusterError) return error;
  const unsent = error instanceof ConnectError || neverConnected.has(codeOf(error));
  const reason = isDistrust(codeOf(error)) ? 'Untrusted' : 'Unreachable';
  const outcome = unsent ? 'unsent' : call.method === 'GET' ? 'refused' : 'unknown';
  return new ClusterError(
    `${call.title}: ${describe(error)}`,
    { status: 0, reason, outcome },
    { ...hint(reason), cause: error },
  );
}

/** The time was up. `sent` tells whether the request had left. */
export function lateness(call: Call, sent: boolean, cause?: unknown): ClusterError {
  const outcome = !sent ? 'unsent' : call.method === 'GET' ? 'refused' : 'unknown';
  const where = sent ? 'no answer in time' : 'too many other requests before it';
  return new ClusterError(`${call.title}: ${where}`, { status: 0, reason: 'DeadlineExceeded', outcome }, { cause });
}

const neverConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function isDistrust(code: string): boolean {
  return /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_(GET|VERIFY))/.test(code);
}

/** Node joins the failures of several addresses in one error without a message. */
function describe(error: unknown): string {
  const text = messageOf(error);
  if (text !== '') return text;
  return error instanceof AggregateError ? error.errors.map(messageOf).join('; ') : codeOf(error);
}

const hints: Readonly<Record<string, string>> = {
  Unauthorized: 'The cluster does not accept the credentials of this context. Log in again, or check the token.',
  Forbidden: 'Ask with `kubectl auth can-i` what this account may do, and the administrators of the cluster for more.',
  Unreachable: 'Check that the API server runs and can be reached from here: `kubectl version`.',
  Untrusted: 'Check certificate-authority-data and the server name in the kubeconfig, and the clock of this machine.',
};

function hint(reason: FailureReason): { readonly hint?: string } {
  const text = hints[reason];
  return text === undefined ? {} : { hint: text };
}
