/** How long things may take, in ms, and how often they are tried. */
export interface MigrateLimits {
  /** How long another migration of the same database is waited for. */
  readonly waitMs: number;
  /** How long a statement waits for a lock: as long as it does, everybody behind it waits too. */
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** How long a transaction may stay open while nothing happens in it. */
  readonly idleMs: number;
  /** All of it. */
  readonly deadlineMs: number;
  /** Runs of the command while locks do not come free. */
  readonly attempts: number;
  /** Pause before the second attempt; it doubles up to `longestPauseMs`, and chance takes off up to a half. */
  readonly pauseMs: number;
  readonly longestPauseMs: number;
}

export const defaultLimits: MigrateLimits = {
  waitMs: 60_000,
  lockTimeoutMs: 3_000,
  statementTimeoutMs: 600_000,
  idleMs: 60_000,
  deadlineMs: 900_000,
  attempts: 6,
  pauseMs: 1_000,
  longestPauseMs: 30_000,
};

/** The pause behind the attempt of that number, from 1. `chance` is in [0, 1). */
export function pauseAfter(attempt: number, { pauseMs, longestPauseMs }: MigrateLimits, chance: number): number {
  return Math.min(longestPauseMs, pauseMs * 2 ** (attempt - 1)) * (1 - chance / 2);
}
