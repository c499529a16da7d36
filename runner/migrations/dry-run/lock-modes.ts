/** Modes of table locks, weakest first (postgresql.org/docs/current/explicit-locking.html). */
const lockModes = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
] as const;

export type LockMode = (typeof lockModes)[number];

/** From 0, the weakest; -1 for what is no mode of tables. */
export function strengthOf(mode: string | undefined): number {
  return lockModes.findIndex((name) => name === mode);
}

/** Writers wait behind it, or readers too. */
export function isStrong(mode: LockMode): boolean {
  return strengthOf(mode) >= strengthOf('ShareLock');
}
