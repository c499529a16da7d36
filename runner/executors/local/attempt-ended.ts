import { verdictOf } from '../../model/outcome.ts';
import type { Reason, Verdict } from '../../model/outcome.ts';

/** Thrown inside this room by whatever ends an attempt before its command ran; becomes its outcome, never leaves. */
export class AttemptEnded extends Error {
  readonly verdict: Verdict;

  constructor(reason: Reason, message?: string) {
    super(message ?? reason);
    this.verdict = verdictOf(reason, message);
  }
}
