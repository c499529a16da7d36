import type { Call } from './call.ts';
import type { ClusterError } from './cluster-error.ts';

const transient = new Set([429, 500, 502, 503, 504]);

/**
 * Whether the same request may be sent again. A read always may. A change only if it surely was not made: the server was
 * too busy (429, or 503 with Retry-After, both said before anything is done), or no connection came about.
 */
export function mayRepeat(call: Call, failure: ClusterError): boolean {
  if (failure.reason === 'Untrusted') return false;
  if (failure.outcome === 'unsent') return failure.reason === 'Unreachable';
  if (call.method === 'GET') return transient.has(failure.status) || failure.reason === 'Unreachable';
  return failure.status === 429 || (failure.status === 503 && failure.retryAfterMs !== undefined);
}

/** Doubles from `first` to `last` milliseconds, each time somewhere in the upper half so that callers spread. */
export function backoff(failures: number, { first = 200, last = 10_000, chance = Math.random() } = {}): number {
  return Math.min(last, first * 2 ** (failures - 1)) * (0.5 + chance / 2);
}

/** Never less than what the server asks for. */
export function waitBefore(failures: number, failure: ClusterError): number {
  return (failure.retryAfterMs ?? 0) + backoff(failures, { last: 5_000 });
}
