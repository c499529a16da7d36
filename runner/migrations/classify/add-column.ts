import type { ColumnDef, Constraint, Node } from 'libpg-query';
import { typeText } from './column-types.ts';
import type { Finding, ScriptContext } from './script-context.ts';
import { functionsIn } from './walk.ts';

/** A default that calls nothing else is worked out once and kept beside the table; anything else is written into every row. */
const steadyFunctions = new Set(
  'now transaction_timestamp statement_timestamp lower upper concat md5 format jsonb_build_object jsonb_build_array json_build_object json_build_array to_jsonb to_json make_interval make_date date_trunc timezone'.split(
    ' ',
  ),
);

const serial = /^(small|big)?serial[248]?$/;

/** What is wrong with a column that is added to a table which has rows and users. */
export function addedColumn(table: string, column: ColumnDef, context: ScriptContext): readonly Finding[] {
  const constraints = (column.constraints ?? []).flatMap((node: Node) =>
    'Constraint' in node ? [node.Constraint] : [],
  );
  const name = `${table}.${column.colname ?? ''}`;
  const rewrite = context.isSmall(table) ? undefined : whyRewritten(column, constraints);
  return [
    ...(rewrite === undefined
      ? []
      : [
          {
            rule: 'rewriting-column',
            reason: `Adding ${name} writes every row of the table anew under ACCESS EXCLUSIVE: ${rewrite}.`,
            location: column.location,
          } as const,
        ]),
    ...(isRequired(column, constraints)
      ? [
          {
            rule: 'required-column',
            reason: `${name} is NOT NULL without a default: it cannot be added to a table with rows, and inserts of live code fail.`,
            location: column.location,
          } as const,
        ]
      : []),
    ...constraints.flatMap((constraint) => inlineConstraint(table, name, constraint, constraints, context)),
  ];
}

function whyRewritten(column: ColumnDef, constraints: readonly Constraint[]): string | undefined {
  if (serial.test(typeText(column.typeName))) return 'a serial counts';
  for (const { contype, raw_expr: expression, generated_kind: kind } of constraints) {
    if (contype === 'CONSTR_IDENTITY') return 'an identity counts';
    if (contype === 'CONSTR_GENERATED' && kind !== 'v') return 'a stored column is worked out for each';
    const called =
      contype === 'CONSTR_DEFAULT' ? functionsIn(expression).find((name) => !steadyFunctions.has(name)) : undefined;
    if (called !== undefined) return `${called}() may give each a different value`;
  }
  return undefined;
}

function isRequired(column: ColumnDef, constraints: readonly Constraint[]): boolean {
  const kinds = new Set(constraints.map(({ contype }) => contype));
  const filled = ['CONSTR_IDENTITY', 'CONSTR_GENERATED'].some((kind) => kinds.has(kind as Constraint['contype']));
  const notNull = kinds.has('CONSTR_NOTNULL') || kinds.has('CONSTR_PRIMARY');
  return notNull && !filled && !hasDefault(constraints) && !serial.test(typeText(column.typeName));
}

/** DEFAULT NULL is none. */
function hasDefault(constraints: readonly Constraint[]): boolean {
  return constraints.some(
    ({ contype, raw_expr: expression }) =>
      contype === 'CONSTR_DEFAULT' &&
      !(expression !== undefined && 'A_Const' in expression && expression.A_Const.isnull),
  );
}

function inlineConstraint(
  table: string,
  column: string,
  { contype, location }: Constraint,
  all: readonly Constraint[],
  context: ScriptContext,
): readonly Finding[] {
  if (context.isSmall(table)) return [];
  if (contype === 'CONSTR_UNIQUE' || contype === 'CONSTR_PRIMARY') {
    const reason = `The index of ${column} is built while nobody can write or read the table.`;
    return [{ rule: 'constraint-builds-index', reason, location }];
  }
  // PostgreSQL does not check a foreign key of a column that is null everywhere (transformAlterTableStmt).
  const scans = contype === 'CONSTR_CHECK' || (contype === 'CONSTR_FOREIGN' && hasDefault(all));
  const reason = `The constraint on ${column} is checked against every row while the table is locked.`;
  return scans ? [{ rule: 'constraint-without-not-valid', reason, location }] : [];
}
