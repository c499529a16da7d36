import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../model/logger.ts';
import { messageOf, SluiceError } from '../model/errors.ts';
import type { RunRequest } from '../model/run-request.ts';
import type { Store } from '../store/store.ts';
import type { Engine } from './engine.ts';

export interface DispatcherOptions {
  readonly engine: Pick<Engine, 'anticipate' | 'take' | 'plan' | 'drive'>;
  readonly store: Pick<Store, 'changes'>;
  /** Folder of a repository that has the commit of the request. */
  readonly locate: (request: RunRequest) => Promise<string>;
  /** Told of each run that has ended in this process. */
  readonly ended: (runId: string) => Promise<void>;
  readonly logger: Logger;
  /** Runs under way at once, in this process and of one repository in all processes. */
  readonly most: { readonly runs: number; readonly ofRepository: number };
}

/** How often the store is asked whether anything changed. */
const pollMs = 40;
/** How often it is looked for runs whose process is gone, which changes nothing in the store. */
const lookMs = 5_000;
const longestPauseMs = 30_000;

/**
 * Takes queued runs, and those whose process is gone, and drives them, until `stop` is aborted and the last one has
 * ended; aborting `cancel` too ends them early. Rejects never: a store that is away is asked again.
 */
export async function dispatchRuns(
  options: DispatcherOptions,
  signals: { readonly stop: AbortSignal; readonly cancel: AbortSignal },
): Promise<void> {
  const { store, logger, most, engine } = options;
  engine.anticipate();
  const underWay = new Set<Promise<void>>();
  let wake = Promise.withResolvers<undefined>();
  signals.stop.addEventListener('abort', () => wake.resolve(undefined), { once: true });
  let failures = 0;
  const stopped = (): boolean => signals.stop.aborted;
  while (!stopped()) {
    wake = Promise.withResolvers();
    try {
      const seen = await store.changes();
      while (underWay.size < most.runs && !stopped()) {
        const runId = await engine.take(most.ofRepository);
        if (runId === undefined) break;
        const driven: Promise<void> = driveTaken(options, runId, signals).then(() => {
          underWay.delete(driven);
          wake.resolve(undefined);
        });
        underWay.add(driven);
      }
      failures = 0;
      await untilChange(store, seen, wake.promise);
    } catch (error) {
      logger.error('the queue cannot be read', { error: messageOf(error) });
      await Promise.race([pause(++failures), wake.promise]);
    }
  }
  await Promise.all(underWay);
}

async function untilChange(store: Pick<Store, 'changes'>, seen: number, wake: Promise<undefined>): Promise<void> {
  const woken = wake.then(() => true);
  const until = performance.now() + lookMs;
  while (performance.now() < until) {
    if (await Promise.race([sleep(pollMs, false), woken])) return;
    if ((await store.changes()) !== seen) return;
  }
}

async function driveTaken(
  { engine, locate, ended, logger }: DispatcherOptions,
  runId: string,
  { stop, cancel }: { readonly stop: AbortSignal; readonly cancel: AbortSignal },
): Promise<void> {
  const observer = { event: () => undefined, log: () => undefined };
  logger.info('run taken', { runId });
  for (let failures = 1; ; failures++) {
    try {
      const planned = await engine.plan(runId, locate);
      const { verdict } = planned.phase === 'finished' ? planned : await engine.drive(runId, observer, cancel);
      logger.info('run ended', { runId, outcome: verdict?.outcome, reason: verdict?.reason });
      await ended(runId).catch((error: unknown) =>
        logger.warn('run was not measured', { runId, error: messageOf(error) }),
      );
      return;
    } catch (error) {
      const lost = error instanceof SluiceError && error.code === 'ERR_CONFLICT';
      // Another runner drives it now: that is as it should be.
      logger[lost ? 'info' : 'error']('run could not be driven', { runId, error: messageOf(error) });
      if (lost || stop.aborted) return;
      await pause(failures);
    }
  }
}

function pause(failures: number): Promise<void> {
  return sleep(Math.min(longestPauseMs, 500 * 2 ** failures) * (0.5 + Math.random() / 2));
}
