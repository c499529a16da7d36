/** A step as `init` writes it. */
export interface DraftStep {
  readonly name: string;
  /** For the reader of the file, above the step; may have several lines. */
  readonly comment?: string;
  readonly run: readonly string[];
  /** Steps of the same kind of project that must pass first; none when absent. */
  readonly after?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly junit?: string;
  readonly cache?: { readonly key: string; readonly paths: readonly string[] };
  /** Whether it may need the databases of the project. */
  readonly usesServices?: boolean;
}

/** What one kind of project in a repository asks for. */
export interface Finding {
  /** "Node with npm, tests by vitest". */
  readonly what: string;
  /** Tells its steps from those of another kind. */
  readonly kind: string;
  readonly image: string;
  readonly steps: readonly DraftStep[];
}

export interface DraftService {
  readonly name: string;
  readonly image: string;
  /** Variable that hands its address to the tests. */
  readonly variable: string;
}

export interface Draft {
  readonly pipeline: string;
  readonly findings: readonly Finding[];
  readonly services: readonly DraftService[];
}

/** Where steps put their JUnit reports. */
export const reportFolder = 'reports';
