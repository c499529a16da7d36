import type { TypeName } from 'libpg-query';

/** Names of the grammar for the names of `format_type`. */
const spelled: Readonly<Record<string, string>> = {
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  float4: 'real',
  float8: 'double precision',
  bool: 'boolean',
  varchar: 'character varying',
  bpchar: 'character',
  timestamptz: 'timestamp with time zone',
  timestamp: 'timestamp without time zone',
};

/** A type as `format_type` writes it, as far as `keepsRows` has to know. */
export function typeText(type: TypeName | undefined): string {
  const words = (type?.names ?? []).flatMap((part) => ('String' in part ? [part.String.sval ?? ''] : []));
  const name = words.at(-1) ?? '';
  const limits = (type?.typmods ?? []).flatMap((limit) =>
    'A_Const' in limit ? [String(limit.A_Const.ival?.ival ?? 0)] : [],
  );
  const dimensions = (type?.arrayBounds ?? []).length > 0 ? '[]' : '';
  return `${spelled[name] ?? name}${limits.length > 0 ? `(${limits.join(',')})` : ''}${dimensions}`;
}

/**
 * Whether a column keeps its rows and indexes as they are when its type changes so: limits that grow, as listed under
 * "avoid a table rewrite" in the release notes of PostgreSQL 9.2.
 */
export function keepsRows(from: string, to: string): boolean {
  if (from === to) return true;
  const [old, wanted] = [parts(from), parts(to)];
  const text = new Set(['character varying', 'text']);
  if (text.has(old.name) && text.has(wanted.name)) return grows(old.limits[0], wanted.limits[0]);
  if (old.name !== 'numeric' || wanted.name !== 'numeric') return false;
  if (wanted.limits.length === 0) return true;
  return (
    old.limits.length > 0 && (old.limits[1] ?? 0) === (wanted.limits[1] ?? 0) && grows(old.limits[0], wanted.limits[0])
  );
}

function parts(type: string): { readonly name: string; readonly limits: readonly number[] } {
  const [, name = type, limits = ''] = /^([^(]+)\(([\d,]+)\)$/.exec(type) ?? [];
  return { name, limits: limits === '' ? [] : limits.split(',').map(Number) };
}

function grows(from: number | undefined, to: number | undefined): boolean {
  return to === undefined || (from !== undefined && to >= from);
}
