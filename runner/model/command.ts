import type { Reason, Verdict } from './outcome.ts';
import type { StepId } from './plan.ts';

/** What the scheduler wants done next. The engine carries each out and answers with events. */
export type Command =
  | { readonly do: 'start-run' }
  | { readonly do: 'start-attempt'; readonly step: StepId; readonly attempt: number }
  | {
      readonly do: 'stop-attempt';
      readonly step: StepId;
      readonly attempt: number;
      readonly reason: Extract<Reason, 'cancelled' | 'interrupted' | 'superseded' | 'run_timeout' | 'unproven'>;
    }
  | {
      readonly do: 'settle';
      readonly step: StepId;
      readonly verdict: Verdict;
      readonly outputs: Readonly<Record<string, string>>;
    }
  | { readonly do: 'request-approval'; readonly step: StepId; readonly message: string; readonly expiresAt: number }
  | { readonly do: 'cancel-run'; readonly by: string; readonly reason: 'run_timeout' }
  | { readonly do: 'finish-run'; readonly verdict: Verdict }
  /** Nothing to do before this time; decide again then at the latest. */
  | { readonly do: 'wake'; readonly at: number };
