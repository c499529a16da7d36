import type { ErrorCode } from '../model/errors.ts';
import { refusalCode } from '../model/operations.ts';
import type { Verdict } from '../model/outcome.ts';

/** What a shell gets to know of a command. */
export const exitCodes = { succeeded: 0, failed: 1, usage: 2, errored: 3, interrupted: 130 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** 0 is for proof only: a cancelled run and one in which nothing ran are not green. */
export function exitCodeOf(verdict: Verdict | undefined): ExitCode {
  if (verdict?.reason === 'interrupted') return exitCodes.interrupted;
  if (verdict?.outcome === 'succeeded') return exitCodes.succeeded;
  return verdict?.outcome === 'errored' ? exitCodes.errored : exitCodes.failed;
}

const usageErrors: ReadonlySet<ErrorCode> = new Set(['ERR_USAGE', 'ERR_NOT_FOUND', 'ERR_SOURCE']);

export function exitCodeOfError(code: ErrorCode): ExitCode {
  if (code === 'ERR_ABORTED') return exitCodes.interrupted;
  if (code === 'ERR_GATE') return refusalCode;
  return usageErrors.has(code) ? exitCodes.usage : exitCodes.errored;
}
