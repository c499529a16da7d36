import { SluiceError } from '../model/errors.ts';

/** Does `work` until it is done, `signal` ends it (ERR_ABORTED), or it took longer than `deadlineMs` (ERR_SERVICE). */
export async function withDeadline<Result>(
  signal: AbortSignal,
  deadlineMs: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  try {
    return await work(limited);
  } catch (error) {
    throw limited.aborted ? abortion(limited) : error;
  }
}

/** Why a signal ended the work: its deadline, or somebody who does not want it any more. */
export function abortion(signal: AbortSignal): SluiceError {
  const timedOut = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError';
  if (!timedOut) return new SluiceError('ERR_ABORTED', 'Work on the image was aborted');
  return new SluiceError('ERR_SERVICE', 'Work on the image took longer than its deadline', {
    hint: 'The registry is slow or far; what it has got already need not be sent again.',
  });
}
