import { createHash } from 'node:crypto';
import { canonicalJson } from '../../model/json.ts';
import type { Json } from '../../model/json.ts';
import type { Connection } from '../database/connection.ts';
import { bookkeepingTables } from './bookkeeping.ts';
import { schemaPrelude, schemaQueries } from './schema-queries.ts';

export type ObjectKind = keyof typeof schemaQueries;

/** Every object of a schema by kind and name, each with all that matters of it. Owners, rights and comments do not. */
export type SchemaSnapshot = ReadonlyMap<ObjectKind, ReadonlyMap<string, Json>>;

/** The schema as one moment saw it. `ignore` are more tables that are bookkeeping. The connection must not be in a transaction. */
export function readSchema(connection: Connection, ignore: readonly string[] = []): Promise<SchemaSnapshot> {
  return inSnapshot(connection, () => readSchemaHere(connection, ignore));
}

/** Reads of one moment, in a transaction that changes nothing. */
export async function inSnapshot<Result>(connection: Connection, read: () => Promise<Result>): Promise<Result> {
  await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    return await read();
  } finally {
    await connection.query('ROLLBACK').catch(() => undefined);
  }
}

/** The schema as the transaction sees it that the connection is in. */
export async function readSchemaHere(connection: Connection, ignore: readonly string[] = []): Promise<SchemaSnapshot> {
  // So every name is written with its schema.
  await connection.query('SET LOCAL search_path = pg_catalog');
  const kinds: [ObjectKind, ReadonlyMap<string, Json>][] = [];
  for (const [kind, query] of Object.entries(schemaQueries) as Iterable<[ObjectKind, string]>) {
    kinds.push([kind, await readKind(connection, query, [...bookkeepingTables, ...ignore])]);
  }
  return new Map(kinds);
}

async function readKind(connection: Connection, query: string, ignore: readonly string[]) {
  // `$1` is mentioned, so that each query has the one value whether it looks at it or not.
  const text = `${schemaPrelude}, found AS (${query}) SELECT name, definition FROM found, (SELECT $1::text[]) AS ignored`;
  const rows = await connection.query<{ readonly name: string; readonly definition: Json }>(text, [ignore]);
  return new Map(rows.map(({ name, definition }) => [name, definition]));
}

/** Digest of a schema: sha256 in hex, the same for the same objects wherever and in whatever order they were made. */
export function fingerprintOf(snapshot: SchemaSnapshot): string {
  const hash = createHash('sha256');
  for (const [kind, objects] of snapshot) hash.update(canonicalJson([kind, Object.fromEntries(objects)]));
  return hash.digest('hex');
}

/** The digest of the schema of a database. */
export async function fingerprint(connection: Connection): Promise<string> {
  return fingerprintOf(await readSchema(connection));
}
