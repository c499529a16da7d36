import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/** What a database offers beyond SQL that every one understands. One implementation per dialect. */
export interface SqlDatabase {
  readonly read: <Value>(work: (db: Kysely<Schema>) => Promise<Value>) => Promise<Value>;
  /** One durable transaction; a failure leaves nothing of it. `work` runs again after a clash with another process. */
  readonly write: <Value>(work: (db: Kysely<Schema>) => Promise<Value>) => Promise<Value>;
  readonly changes: () => Promise<number>;
  readonly close: () => Promise<void>;
}
