import type { Answer } from './receiver.ts';

/** What is tried for so long is given up; nothing is before it was tried once. */
const patienceMs = 24 * 3_600_000;
const firstWaitMs = 2_000;
const longestWaitMs = 15 * 60_000;

export type Decision =
  | { readonly kind: 'forget' }
  | { readonly kind: 'postpone'; readonly notBefore: number; readonly reason: string }
  | { readonly kind: 'give-up'; readonly reason: string };

/**
 * What to do with a notice of the time `at` that got this answer at its `attempts`th try. The wait doubles up to a quarter
 * of an hour, each time somewhere in its upper half (`chance` from 0 to 1) so that many do not come back at once, and is
 * never shorter than what the receiver asks for.
 */
export function decideDelivery(
  answer: Answer,
  {
    at,
    attempts,
    now,
    chance,
  }: { readonly at: number; readonly attempts: number; readonly now: number; readonly chance: number },
): Decision {
  if (answer.kind === 'done') return { kind: 'forget' };
  if (answer.kind === 'give-up') return answer;
  if (now - at >= patienceMs) return { kind: 'give-up', reason: `for 24 hours: ${answer.reason}` };
  const wait = Math.min(longestWaitMs, firstWaitMs * 2 ** (attempts - 1)) * (0.5 + chance / 2);
  return { kind: 'postpone', notBefore: now + Math.ceil(Math.max(wait, answer.afterMs ?? 0)), reason: answer.reason };
}
