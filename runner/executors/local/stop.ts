import type { StopReason } from '../executor.ts';

const longestTimerMs = 2 ** 31 - 1;

/** How an attempt is ended early. */
export interface Stop {
  /** Aborted with a StopReason. */
  readonly signal: AbortSignal;
  /** Starts the grace of processes that were asked to stop just now; the signal ends it. */
  readonly grace: () => AbortSignal;
  /** Aborted with a StopReason when not even the results can be waited for. */
  readonly hurry: AbortSignal;
}

/** The same wishes and one more: the timeout. `clear` when the command has ended. */
export function withTimeout(stop: Stop, timeoutMs: number): { readonly stop: Stop; readonly clear: () => void } {
  const timeout = new AbortController();
  const timer = setTimeout(
    () => timeout.abort('timeout' satisfies StopReason),
    Math.min(Math.max(timeoutMs, 0), longestTimerMs),
  );
  return {
    stop: { ...stop, signal: AbortSignal.any([stop.signal, timeout.signal]) },
    clear: () => clearTimeout(timer),
  };
}

/** Why the attempt is to be stopped; undefined while it is not. */
export function stopReason(stop: Stop): StopReason | undefined {
  return stop.signal.aborted ? (stop.signal.reason as StopReason) : undefined;
}

/** Settles when the attempt is to be stopped. */
export async function whenStopped(stop: Stop): Promise<void> {
  if (stop.signal.aborted) return;
  await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
}
