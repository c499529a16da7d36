import type { ExecutionContext } from 'ava';
import type { Intake } from './intake.ts';
import type { Outbox } from './outbox.ts';
import type { ServerRecords } from './server-records.ts';
import type { Store } from './store.ts';
import type { Watch } from './watch.ts';

/** A database of one test. */
interface TestDatabase {
  /** Opens the store once more, as another process would; its clock says 1,000. */
  readonly open: () => Promise<Store & Intake & Watch & Outbox & ServerRecords>;
  /** Whoever has this id counts as dead from now on. */
  readonly kill: (ownerId: string) => Promise<void>;
  /** Changes the database behind the back of the stores. */
  readonly execute: (sql: string) => Promise<unknown>;
}

/** Makes an empty database for one test and removes it afterwards. */
export type NewDatabase = (t: ExecutionContext) => Promise<TestDatabase>;

export type SetUp = (t: ExecutionContext) => Promise<{
  readonly store: Store & Intake & Watch & Outbox & ServerRecords;
  readonly connect: () => Promise<Store & Intake & Watch & Outbox & ServerRecords>;
  readonly kill: TestDatabase['kill'];
  readonly execute: TestDatabase['execute'];
}>;

export function setUpOn(newDatabase: NewDatabase): SetUp {
  return async (t) => {
    const { open, kill, execute } = await newDatabase(t);
    const connect = async () => {
      const store = await open();
      t.teardown(() => store.close());
      return store;
    };
    return { store: await connect(), connect, kill, execute };
  };
}
