import type { Io } from './session.ts';

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * What goes to the whole process group (`timeout`, systemd, a terminal that is closed) comes a second time from the
 * launcher, where that had to bring a newer Node.
 */
const echoMs = 500;

/** Calls back on every signal that asks the process to end, instead of ending. Those that come at once are one wish. */
export function onSignals({ signals }: Pick<Io, 'signals'>, listener: () => void): { close(): void } {
  let heardAt = -Infinity;
  const heard = (): void => {
    const now = performance.now();
    if (now - heardAt < echoMs) return;
    heardAt = now;
    listener();
  };
  for (const name of names) signals.on(name, heard);
  return {
    close: () => {
      for (const name of names) signals.off(name, heard);
    },
  };
}

/** Aborted by the first such signal. */
export function untilSignal(io: Pick<Io, 'signals'>): { readonly signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  const listening = onSignals(io, () => controller.abort());
  return { signal: controller.signal, close: () => listening.close() };
}
