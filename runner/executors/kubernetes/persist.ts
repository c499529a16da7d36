import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterError } from '../../cluster/cluster-error.ts';
import { backoff } from '../../cluster/repeat.ts';

export interface Persistence {
  readonly signal: AbortSignal;
  /** How long an API server is waited for that does not answer. */
  readonly absenceMs: number;
  /** How long for one that answers with faults of its own. */
  readonly faultMs: number;
  readonly onFailure?: (failure: ClusterError) => void;
}

const longestPauseMs = 5_000;

/**
 * Asks again for what can be asked twice, while the API server is away or in trouble. Rejects with the last failure when it
 * will not pass by itself, or has not in time, or the signal is aborted.
 */
export async function persist<Value>(act: () => Promise<Value>, persistence: Persistence): Promise<Value> {
  const { signal, onFailure } = persistence;
  const begun = performance.now();
  for (let failures = 1; ; failures += 1) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof ClusterError) || signal.aborted) throw error;
      if (performance.now() - begun >= patienceWith(error, persistence)) throw error;
      onFailure?.(error);
      await sleep(backoff(failures, { last: longestPauseMs }), undefined, { signal }).catch(() => undefined);
    }
  }
}

function patienceWith(error: ClusterError, { absenceMs, faultMs }: Persistence): number {
  if (isAbsence(error)) return absenceMs;
  return passes(error) ? faultMs : 0;
}

/** Whether it may be better by itself a while later. */
export function passes(error: unknown): boolean {
  if (!(error instanceof ClusterError)) return false;
  const { status, reason } = error;
  // A name may be taken by an object that is gone a moment later.
  return isAbsence(error) || status === 429 || status >= 500 || reason === 'AlreadyExists';
}

function isAbsence({ reason }: ClusterError): boolean {
  return reason === 'Unreachable' || reason === 'DeadlineExceeded';
}
