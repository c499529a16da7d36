import { setTimeout as sleep } from 'node:timers/promises';
import type { EnvironmentName, Release } from '../environments/release.ts';
import { SluiceError } from '../model/errors.ts';
import type { OperationContext } from './operation.ts';

const lookMs = 250;

/** Waits until a release is healthy. ERR_GATE as soon as it is known that it will not be, or when the time is over. */
export async function awaitHealth(
  { site, say, clock, signal }: Pick<OperationContext, 'site' | 'say' | 'clock' | 'signal'>,
  environment: EnvironmentName,
  release: Release,
  timeoutMs: number,
): Promise<void> {
  const deadline = clock() + timeoutMs;
  let told = '';
  for (;;) {
    const health = await site.health(environment, release);
    if (health.state === 'healthy') {
      say(`${release.name} is healthy in ${environment}`);
      return;
    }
    if (health.state === 'failed') {
      throw new SluiceError('ERR_GATE', `${release.name} does not start in ${environment}: ${health.message}`);
    }
    if (health.message !== told) say(health.message);
    told = health.message;
    if (clock() >= deadline) {
      throw new SluiceError(
        'ERR_GATE',
        `${release.name} is not healthy in ${environment} after ${timeoutMs / 1000} s: ${health.message}`,
        { hint: 'Mend what the message says; give it more time by `health_timeout` where it only starts slowly.' },
      );
    }
    await sleep(lookMs, undefined, { signal });
  }
}
