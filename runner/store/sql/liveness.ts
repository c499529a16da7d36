import type { Kysely } from 'kysely';
import type { Owner } from '../store.ts';
import type { Schema } from './schema.ts';

/** How it is known whether those who drive runs still live. */
export interface Liveness {
  /** Before the owner gets its first lease. Answers the signal of its leases: see `Lease.lost`. */
  readonly enlist: (owner: Owner) => Promise<AbortSignal | undefined>;
  /** Ids of those whose runs may be taken over. */
  readonly deadAmong: (db: Kysely<Schema>, owners: readonly Owner[]) => Promise<ReadonlySet<string>>;
}

/** By looking at the processes of this machine. */
export function livenessOf(isAlive: (owner: Owner) => boolean): Liveness {
  return {
    enlist: () => Promise.resolve(undefined),
    deadAmong: (_db, owners) => Promise.resolve(new Set(owners.filter((owner) => !isAlive(owner)).map(({ id }) => id))),
  };
}
