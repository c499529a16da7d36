import type { Reason } from '../../../model/outcome.ts';

/** Something from outside the command that ended an attempt, or may have. */
export interface Interruption {
  readonly reason: Reason;
  readonly message: string;
  /** When it began, in ms since 1970; undefined when nobody can tell, so that it may have come before anything else. */
  readonly at: number | undefined;
  /** Whose clock says so. Times of the step come from its node. */
  readonly clock: 'node' | 'cluster';
  /** Whether it counts when it happened in the same second as the end of the step: times have no finer grain. */
  readonly countsInTie: boolean;
}
