import { SluiceError } from '../model/errors.ts';
import type { ErrorCode } from '../model/errors.ts';

/** What `reason` of a Status says (apimachinery, meta/v1 StatusReason), or a word of ours where no Status came. */
export type FailureReason = StatusReason | OwnReason | (string & Record<never, never>);

type StatusReason =
  | 'AlreadyExists'
  | 'BadRequest'
  | 'Conflict'
  | 'Expired'
  | 'Forbidden'
  | 'Gone'
  | 'InternalError'
  | 'Invalid'
  | 'MethodNotAllowed'
  | 'NotFound'
  | 'RequestEntityTooLarge'
  | 'ServerTimeout'
  | 'ServiceUnavailable'
  | 'Timeout'
  | 'TooManyRequests'
  | 'Unauthorized'
  | 'UnsupportedMediaType';

type OwnReason =
  /** No answer: the connection failed or broke. */
  | 'Unreachable'
  /** The server's certificate is not the expected one, or ours could not be used. */
  | 'Untrusted'
  /** No answer within the deadline. */
  | 'DeadlineExceeded'
  /** An answer that is not from a Kubernetes API server, or half of one. */
  | 'Unreadable'
  /** The server knows no such kind, or no such path. NotFound, as opposed to this, is about the object. */
  | 'NotServed'
  /** A credential could not be had. */
  | 'NoCredentials';

/** What is known of the change that was asked for: not done, perhaps done, or not even asked. */
export type CallOutcome = 'refused' | 'unknown' | 'unsent';

/** A field, or a limit, that the server objects to. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

export interface ClusterFailure {
  /** HTTP status; 0 if no answer came. */
  readonly status: number;
  readonly reason: FailureReason;
  readonly outcome: CallOutcome;
  readonly causes?: readonly StatusCause[];
  /** What the server asks to wait before the next try. */
  readonly retryAfterMs?: number | undefined;
}

const maxMessage = 2_000;
const codes: Readonly<Record<string, ErrorCode>> = {
  NotFound: 'ERR_NOT_FOUND',
  AlreadyExists: 'ERR_CONFLICT',
  Conflict: 'ERR_CONFLICT',
};

/** A call to the API server that did not succeed. The message names the call; `reason` is what code decides by. */
export class ClusterError extends SluiceError {
  readonly status: number;
  readonly reason: FailureReason;
  readonly outcome: CallOutcome;
  readonly causes: readonly StatusCause[];
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    failure: ClusterFailure,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(codes[failure.reason] ?? 'ERR_SERVICE', message.slice(0, maxMessage), options);
    this.status = failure.status;
    this.reason = failure.reason;
    this.outcome = failure.outcome;
    this.causes = failure.causes ?? [];
    this.retryAfterMs = failure.retryAfterMs;
  }
}

/** Whether `error` is a failed call with this reason. */
export function failedWith(error: unknown, reason: FailureReason): error is ClusterError {
  return error instanceof ClusterError && error.reason === reason;
}
