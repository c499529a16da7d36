/** How long things may take, in ms. All follow from how long a silent runner counts as alive. */
export interface PostgresLimits {
  /** So long after its last sign of life a runner counts as dead. */
  readonly ttlMs: number;
  /** One statement, on both sides of the connection, and a transaction that is not spoken to. */
  readonly statementMs: number;
  readonly lockMs: number;
  readonly connectMs: number;
  /** How long a database that is away is asked again. */
  readonly patienceMs: number;
}

/** A runner renews six times in its time to live, and stops acting a third of it before it is over. */
export function limitsFor(ttlMs: number): PostgresLimits {
  return {
    ttlMs,
    statementMs: ttlMs / 3,
    lockMs: ttlMs / 4,
    connectMs: Math.max(2_000, ttlMs / 6),
    patienceMs: Math.max(10_000, ttlMs),
  };
}

/** Changing the tables of a large database takes longer than anything else. */
export const migrationLimits: PostgresLimits = { ...limitsFor(30_000), statementMs: 600_000, lockMs: 60_000 };
