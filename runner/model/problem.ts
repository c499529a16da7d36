/** A place in a user's file. Lines and columns count from 1, columns in UTF-16 code units. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** How many columns the marked text covers, at least 1. */
  readonly length?: number;
}

/**
 * A mistake in a user's file. It is a value, never thrown: all problems of a file are reported in one go.
 * `code` has an entry in docs/problems.md.
 */
export interface Problem extends Location {
  readonly code: string;
  /** One sentence that names the thing that is wrong. */
  readonly message: string;
  /** The next step, with "did you mean" where there is one. */
  readonly hint?: string;
  /** The source line with its neighbours and a caret under the place. */
  readonly frame?: string;
}

export type Checked<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly problems: readonly Problem[] };

/** A problem as programs are told of it: exactly these names, by every command and by the API. */
export function publicProblem({ code, message, file, line, column, hint }: Problem) {
  return { code, message, file, line, column, hint: hint ?? '' };
}
