import { verdictOf } from './outcome.ts';
import type { Reason, Verdict } from './outcome.ts';

/** Thrown on the way to a command by whatever ends an attempt before its command ran; becomes its outcome, never leaves. */
export class AttemptEnded extends Error {
  readonly verdict: Verdict;

  constructor(reason: Reason, message?: string) {
    super(message ?? reason);
    this.verdict = verdictOf(reason, message);
  }
}
