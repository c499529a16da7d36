import { setTimeout as sleep } from 'node:timers/promises';
import type { EnvironmentName } from '../environments/release.ts';
import { SluiceError } from '../model/errors.ts';
import type { OperationContext } from './operation.ts';

const pauseMs = 50;

/**
 * Asks at the address of an environment until enough answers in a row came from one release. ERR_GATE when that takes too long: nobody may test, or
 * serve, what may be an earlier release (argo-rollouts#2488).
 */
export async function awaitAnswers(
  { site, clock, signal }: Pick<OperationContext, 'site' | 'clock' | 'signal'>,
  environment: EnvironmentName,
  wanted: { readonly release: string; readonly path: string; readonly inRow: number; readonly timeoutMs: number },
): Promise<void> {
  const deadline = clock() + wanted.timeoutMs;
  let inRow = 0;
  let last = 'nothing answered';
  while (inRow < wanted.inRow) {
    const answer = await site.ask(environment, wanted.path);
    const isRight = answer?.release === wanted.release && answer.status < 500;
    inRow = isRight ? inRow + 1 : 0;
    if (!isRight && answer !== undefined) {
      last = `the last answer was ${answer.status} from ${answer.release ?? 'no release'}`;
    }
    if (clock() >= deadline) {
      throw new SluiceError(
        'ERR_GATE',
        `${site.url(environment)} does not answer from ${wanted.release} after ${wanted.timeoutMs / 1000} s: ${last}`,
      );
    }
    if (!isRight) await sleep(pauseMs, undefined, { signal });
  }
}
