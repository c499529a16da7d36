import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';

/** Node's SQLite in the shape that Kysely's driver expects. Each text of SQL is prepared once. */
export function kyselyDatabase(database: DatabaseSync): SqliteDatabase {
  // Stays small: the store builds a fixed number of different statements.
  const statements = new Map<string, SqliteStatement>();
  return {
    prepare(sql) {
      const statement = statements.get(sql) ?? prepare(database, sql);
      statements.set(sql, statement);
      return statement;
    },
    close: () => database.close(),
  };
}

function prepare(database: DatabaseSync, sql: string): SqliteStatement {
  const statement = database.prepare(sql);
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...inputs(parameters)),
    run: (parameters) => statement.run(...inputs(parameters)),
    // An iterator holds its statement until it ends, so that it needs one of its own.
    iterate: (parameters) => database.prepare(sql).iterate(...inputs(parameters)),
  };
}

/** Kysely does not know which values a driver takes; SQLite itself refuses others. */
function inputs(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters as SQLInputValue[];
}
