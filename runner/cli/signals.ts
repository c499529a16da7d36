import type { Io } from './session.ts';

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Calls back on every signal that asks the process to end, instead of ending. */
export function onSignals({ signals }: Pick<Io, 'signals'>, listener: () => void): { close(): void } {
  for (const name of names) signals.on(name, listener);
  return {
    close: () => {
      for (const name of names) signals.off(name, listener);
    },
  };
}

/** Aborted by the first such signal. */
export function untilSignal(io: Pick<Io, 'signals'>): { readonly signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  const listening = onSignals(io, () => controller.abort());
  return { signal: controller.signal, close: () => listening.close() };
}
