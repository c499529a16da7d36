import { setTimeout as wait } from 'node:timers/promises';
import { RegistryError } from './registry-error.ts';

const attempts = 6;
const maxWaitMs = 15_000;

/** Counts the failures of one piece of work. */
export class Retries {
  readonly #firstWaitMs: number;
  #failures = 0;

  constructor(firstWaitMs = 200) {
    this.#firstWaitMs = firstWaitMs;
  }

  /**
   * Waits until the next try: twice as long each time, at least what the registry asks for, never more than 15 s.
   * Throws `error` when trying again cannot help, or was tried five times.
   */
  async failed(error: unknown, signal: AbortSignal): Promise<void> {
    this.#failures += 1;
    if (!(error instanceof RegistryError) || !error.transient || this.#failures >= attempts) throw error;
    const pause = this.#firstWaitMs * 2 ** (this.#failures - 1) * (0.5 + Math.random() / 2);
    await wait(Math.min(maxWaitMs, Math.max(error.retryAfterMs, pause)), undefined, { signal }).catch(() => {
      throw error;
    });
  }
}

/** Does `work` until it does not fail, within the bounds of `Retries`. */
export async function retrying<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  const retries = new Retries();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      await retries.failed(error, signal);
    }
  }
}
