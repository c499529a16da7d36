import type { Node, RangeVar } from 'libpg-query';
import { judged, tableName } from './script-context.ts';
import type { Judgement, ScriptContext } from './script-context.ts';
import { nodesBelow } from './walk.ts';

/** Columns that name single rows where the catalog is not known. */
const keys = new Set(['id', 'uuid', 'ctid']);

interface RowChange {
  readonly relation?: RangeVar | undefined;
  readonly whereClause?: Node | undefined;
}

/** UPDATE, DELETE or MERGE: rows stay locked and dead rows pile up until the end, so that many want batches. */
export function changedRows({ relation, whereClause }: RowChange, context: ScriptContext): Judgement {
  const table = tableName(relation);
  if (context.isSmall(table) || isBounded(whereClause)) return judged('data');
  const which = whereClause === undefined ? 'every row' : 'as many rows as fit its condition';
  return judged('data', {
    rule: 'unbatched-change',
    reason: `It changes ${which} of ${table} at once: writers wait for those rows, and replicas fall behind.`,
    location: relation?.location,
  });
}

/** A LIMIT, a range, or an exact key says that there is an end to it. */
function isBounded(where: Node | undefined): boolean {
  for (const [kind, node] of nodesBelow(where)) {
    if (kind === 'SelectStmt' && node['limitCount'] !== undefined) return true;
    if (kind !== 'A_Expr' || !nodesOf(node['lexpr']).some((name) => keys.has(name))) continue;
    if (node['kind'] === 'AEXPR_BETWEEN' || node['kind'] === 'AEXPR_IN') return true;
    if (node['kind'] === 'AEXPR_OP' && operator(node) === '=' && isConstant(node['rexpr'])) return true;
  }
  return false;
}

function nodesOf(expression: unknown): readonly string[] {
  const found = [...nodesBelow(expression)].filter(([kind]) => kind === 'ColumnRef');
  return found.flatMap(([, column]) => [...nodesBelow(column['fields'])]).map(([, { sval }]) => String(sval));
}

function operator(node: Readonly<Record<string, unknown>>): unknown {
  return [...nodesBelow(node['name'])][0]?.[1]['sval'];
}

function isConstant(expression: unknown): boolean {
  const [first] = nodesBelow(expression);
  return first?.[0] === 'A_Const' || first?.[0] === 'TypeCast';
}
