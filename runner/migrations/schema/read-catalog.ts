import type { Catalog, CatalogTable } from '../catalog.ts';
import type { Connection } from '../database/connection.ts';

interface TableRow {
  readonly [column: string]: unknown;
  readonly name: string;
  readonly rows: number | null;
  readonly bytes: number;
  readonly columns: Readonly<Record<string, string>> | null;
  readonly checked: readonly string[];
  readonly unique: readonly string[];
}

const tables = `
  SELECT n.nspname || '.' || c.relname AS name, nullif(c.reltuples, -1)::float8 AS rows, pg_table_size(c.oid) AS bytes,
    (SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)) FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    ARRAY(SELECT a.attname::text FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
      WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.convalidated
        AND pg_get_expr(k.conbin, k.conrelid) = '(' || quote_ident(a.attname) || ' IS NOT NULL)') AS checked,
    ARRAY(SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
      WHERE x.indrelid = c.oid AND x.indisunique) AS unique
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

/** What the classifier wants to know of a database: sizes, types, validated checks. A role that reads the catalogs is enough. */
export async function readCatalog(connection: Connection): Promise<Catalog> {
  const rows = await connection.query<TableRow>(tables);
  return { tables: new Map(rows.map((row) => [row.name, tableOf(row)])) };
}

function tableOf({ rows, bytes, columns, checked, unique }: TableRow): CatalogTable {
  return {
    rows: rows ?? undefined,
    bytes,
    columns: new Map(Object.entries(columns ?? {})),
    checkedNotNull: new Set(checked),
    unique: new Set(unique),
  };
}
