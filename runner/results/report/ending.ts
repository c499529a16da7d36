import type { Outcome, Reason, Verdict } from '../../model/outcome.ts';
import { reasons } from '../../model/outcome.ts';
import { defined } from './defined.ts';

/** How something ended, with what to do about it. All absent while it has not. */
export interface Ending {
  readonly outcome?: Outcome;
  readonly reason?: Reason;
  readonly message?: string;
  readonly hint?: string;
}

export function endingOf(verdict: Verdict | undefined): Ending {
  if (!verdict) return {};
  const { outcome, reason, message } = verdict;
  return { outcome, ...defined({ reason, message, hint: reason && reasons[reason].hint }) };
}
