/** Totals of test cases, counted by elements, never taken from a report's own totals. */
export interface TestTotals {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
  /** Passed after at least one failed try. */
  readonly flaky: number;
}

/** What is known of the test reports of one attempt. */
export interface TestSummary extends TestTotals {
  readonly files: number;
  /** Where a file's own totals disagree with its elements, e.g. "reports/a.xml: failures:0!=18". */
  readonly mismatches: readonly string[];
  /** Files that are no readable JUnit, with the reason. */
  readonly unreadable: readonly string[];
  /** Signs of red that no test case shows, e.g. "reports/a.xml: testsuite api says failures=2". Absent means none. */
  readonly redElsewhere?: readonly string[];
  /** Names of the first red cases. */
  readonly redCases?: readonly string[];
}

/** The closed log of an attempt. `complete` is false when bytes are known to be missing. */
export interface LogSeal {
  readonly bytes: number;
  readonly lines: number;
  /** Of the stored, masked bytes. */
  readonly sha256: string;
  readonly complete: boolean;
  /** Where secrets were replaced. */
  readonly masked: number;
  /** Blob with the arrival times, where the bytes are a blob too: under their digest, for every runner to read. */
  readonly arrivals?: string;
}

export interface ArtifactEntry {
  readonly kind: 'artifact' | 'junit' | 'output';
  /** Relative to the workspace, with forward slashes. */
  readonly path: string;
  /** Digest of the content in the blob store, sha256 in hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** Permission bits. */
  readonly mode: number;
}

export interface TestCase {
  /** Names of the suites around it, outermost first. */
  readonly suites: readonly string[];
  readonly className: string;
  readonly name: string;
  readonly file: string;
  readonly outcome: 'passed' | 'failed' | 'errored' | 'skipped';
  readonly flaky: boolean;
  /** As the report says, 0 where it says nothing. */
  readonly durationMs: number;
  readonly message: string;
  /** Stack trace or other text of the failure. */
  readonly details: string;
  readonly systemOut: string;
  readonly systemErr: string;
  /** Paths named by `[[ATTACHMENT|path]]` in the output. */
  readonly attachments: readonly string[];
}

export interface AttemptKey {
  readonly runId: string;
  readonly step: string;
  readonly attempt: number;
}
