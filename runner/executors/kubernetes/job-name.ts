import { createHash } from 'node:crypto';
import type { AttemptKey } from '../../model/result.ts';

/**
 * The name of an attempt's Job: always the same, so that a second create is refused by the API server (409) and what a
 * runner left behind is found without any record of it. Pods append six characters, and all of it is a label too: 52 at most.
 */
export function jobName({ runId, step, attempt }: AttemptKey): string {
  const run = /^[a-z0-9](?:[a-z0-9-]{0,34}[a-z0-9])?$/.test(runId) ? runId : hash(runId);
  return `r-${run}-${hash(step)}-${attempt}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
