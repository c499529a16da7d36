/** Every way in which Sluice itself, or what it stands on, can fail. A user's mistake is a Problem, a red test an Outcome. */
export type ErrorCode =
  | 'ERR_CONFLICT'
  | 'ERR_NOT_FOUND'
  | 'ERR_FORBIDDEN'
  | 'ERR_CORRUPT'
  /** What the database has was sealed with another key than that of the data folder. */
  | 'ERR_SEALED'
  | 'ERR_UNSUPPORTED'
  | 'ERR_SOURCE'
  | 'ERR_SERVICE'
  | 'ERR_WORKSPACE'
  | 'ERR_UNREADABLE'
  | 'ERR_LIMIT'
  /** A gate does not let a commit pass. */
  | 'ERR_GATE'
  /** Somebody else has taken over what this was about to change. */
  | 'ERR_FENCED'
  /** The place that a step runs in is taken away from it: its next attempt goes on from what is on record. */
  | 'ERR_DISPLACED'
  /** No space, memory or connection is left where Sluice stores things: it can be asked for again later. */
  | 'ERR_FULL'
  | 'ERR_USAGE'
  | 'ERR_ABORTED'
  | 'ERR_INTERNAL';

/** `message` names the thing and the place, `hint` the next step. Errors carry data, never the object that failed. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** What happened and what to do about it, for where there is room for one text only. */
export function adviceOf(error: unknown): string {
  return error instanceof SluiceError && error.hint !== undefined
    ? `${error.message}. ${error.hint}`
    : messageOf(error);
}

/** Whether a signal came because the pod was taken away, and another goes on with what it did. */
export function isDisplaced({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof SluiceError && reason.code === 'ERR_DISPLACED';
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
