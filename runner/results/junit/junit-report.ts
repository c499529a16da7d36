import type { TestTotals } from '../../model/result.ts';

/** `parse-empty` has no test case, `reject` is not well-formed XML or refused, `not-junit` is XML of another kind. */
export type JUnitVerdict = 'parse' | 'parse-empty' | 'reject' | 'not-junit';

/** What is known of one report file besides its cases. */
export interface JUnitReport {
  readonly file: string;
  readonly verdict: JUnitVerdict;
  /** Why nothing in it counts, with the place; only for `reject` and `not-junit`. */
  readonly fault?: string;
  /** Counted by elements; all 0 when nothing counts. */
  readonly totals: TestTotals;
  /** Where the file's own totals disagree, "failures:0!=18": declared, then counted. */
  readonly mismatch: readonly string[];
  /** Signs of red in a file without red cases: totals of a suite, an error beside the cases, a status. */
  readonly redElsewhere: readonly string[];
  /** Names of the first red cases. */
  readonly redCases: readonly string[];
}

export const noTotals: TestTotals = { tests: 0, failures: 0, errors: 0, skipped: 0, flaky: 0 };

/** How many names and signs are kept of each file, and shown in a message. */
export const keptNames = 5;
