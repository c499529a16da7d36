/** What a tool has done and has still to do, by names as its bookkeeping has them, in the order in which they run. */
export interface MigrationStatus {
  readonly tool: string;
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** Begun and not ended, or marked as failed. */
  readonly incomplete: readonly string[];
  /** Applied, and the file is another one by now. */
  readonly changed: readonly string[];
  /** Applied, and there is no file. */
  readonly missing: readonly string[];
  /** Pending, and something that comes after it was applied. */
  readonly outOfOrder: readonly string[];
}

export function sameStatus(one: MigrationStatus, other: MigrationStatus): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
