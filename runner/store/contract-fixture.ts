import type { ExecutionContext } from 'ava';
import type { Clock } from '../model/clock.ts';
import type { Intake } from './intake.ts';
import type { ServerRecords } from './server-records.ts';
import type { Owner, Store } from './store.ts';

/** Opens one more connection to the same database, as another process would. */
type Connect = (options: {
  readonly clock: Clock;
  readonly isAlive: (owner: Owner) => boolean;
}) => Promise<Store & Intake & ServerRecords>;

/** Makes an empty database for one test and removes it afterwards. */
export type NewDatabase = (t: ExecutionContext) => Promise<Connect>;

export type SetUp = (t: ExecutionContext) => Promise<{
  readonly store: Store & Intake & ServerRecords;
  readonly connect: () => Promise<Store & Intake & ServerRecords>;
  /** Ids of owners that count as dead. */
  readonly dead: Set<string>;
}>;

export function setUpOn(newDatabase: NewDatabase): SetUp {
  return async (t) => {
    const open = await newDatabase(t);
    const dead = new Set<string>();
    const connect = async () => {
      const store = await open({ clock: () => 1_000, isAlive: (owner) => !dead.has(owner.id) });
      t.teardown(() => store.close());
      return store;
    };
    return { store: await connect(), connect, dead };
  };
}
