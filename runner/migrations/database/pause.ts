import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../model/errors.ts';

/** Waits so many ms. ERR_ABORTED as soon as the signal is. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    throw new SluiceError('ERR_ABORTED', 'The wait was cancelled.', { cause: error });
  });
}
