import type { StopReason } from '../executor.ts';

const longestTimerMs = 2 ** 31 - 1;

/** Why a command is ended early: somebody wants it, or what it works with is gone. */
export type EarlyEnd = StopReason | 'service_failed';

/** How an attempt is ended early. */
export interface Stop {
  /** Aborted with an EarlyEnd. */
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

/** The same wishes and one more: the end of what `gone` stands for. */
export function withLoss(stop: Stop, gone: AbortSignal): Stop {
  const loss = new AbortController();
  const lose = (): void => loss.abort('service_failed' satisfies EarlyEnd);
  if (gone.aborted) lose();
  else gone.addEventListener('abort', lose, { once: true });
  return { ...stop, signal: AbortSignal.any([stop.signal, loss.signal]) };
}

/** Why the attempt is to be stopped; undefined while it is not. */
export function stopReason(stop: Stop): EarlyEnd | undefined {
  return stop.signal.aborted ? (stop.signal.reason as EarlyEnd) : undefined;
}

/** Settles when the attempt is to be stopped. */
export async function whenStopped(stop: Stop): Promise<void> {
  if (stop.signal.aborted) return;
  await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
}
