import type { Reason } from '../model/outcome.ts';
import type { RunStep } from '../model/plan.ts';
import type { AttemptRecord, RunEvent } from '../model/run-event.ts';
import type { StepState } from '../model/run-state.ts';

type Next = Extract<RunEvent, { type: 'attempt-finished' }>['next'];

/** Another try would end the same way. */
const hopeless: ReadonlySet<Reason> = new Set(['unsupported', 'image_invalid', 'admission_denied']);

const infraBackoffMs = 1_000;
const longestBackoffMs = 300_000;

/**
 * What follows a finished attempt. Faults of ours or the cluster use their own budget first, so that a lost node does
 * not eat the retries that the user asked for.
 */
export function nextAfter(
  step: RunStep,
  state: StepState,
  result: AttemptRecord,
  at: number,
  cancelled: boolean,
): Next {
  const { outcome, reason } = result;
  if (reason === 'unproven' && !cancelled) return { kind: 'again' };
  if (cancelled || (outcome !== 'failed' && outcome !== 'errored')) return { kind: 'settle' };
  if (reason && hopeless.has(reason)) return { kind: 'settle' };
  const { user, infra } = state.retries;
  if (outcome === 'errored' && infra < step.infraRetries) {
    return { kind: 'retry', cause: 'infra', notBefore: at + backoff(infraBackoffMs, infra) };
  }
  if (step.retry.on.includes(outcome) && user < step.retry.max) {
    return { kind: 'retry', cause: 'user', notBefore: at + backoff(step.retry.backoffMs, user) };
  }
  return { kind: 'settle' };
}

function backoff(firstMs: number, done: number): number {
  return Math.min(firstMs * 2 ** done, longestBackoffMs);
}
