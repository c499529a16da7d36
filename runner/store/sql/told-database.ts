import { channel } from 'node:diagnostics_channel';
import { storeCalls } from '../store-calls.ts';
import type { StoreCall } from '../store-calls.ts';
import type { SqlDatabase } from './sql-database.ts';

const calls = channel(storeCalls);

/** The database, whose reads and writes are told to those who listen. */
export function toldDatabase(database: SqlDatabase): SqlDatabase {
  return {
    ...database,
    read: (work) => told('read', () => database.read(work)),
    write: (work) => told('write', () => database.write(work)),
  };
}

async function told<Value>(kind: StoreCall['kind'], work: () => Promise<Value>): Promise<Value> {
  if (!calls.hasSubscribers) return work();
  const start = performance.now();
  const tell = (ok: boolean): void => calls.publish({ kind, ms: performance.now() - start, ok } satisfies StoreCall);
  try {
    const value = await work();
    tell(true);
    return value;
  } catch (error) {
    tell(false);
    throw error;
  }
}
