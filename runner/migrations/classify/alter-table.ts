import type { AlterTableCmd, AlterTableStmt, Constraint, Node } from 'libpg-query';
import { addedColumn } from './add-column.ts';
import { gravest } from './change-class.ts';
import { keepsRows, typeText } from './column-types.ts';
import { judged, tableName } from './script-context.ts';
import type { Finding, Judgement, ScriptContext } from './script-context.ts';

type Subtype = NonNullable<AlterTableCmd['subtype']>;
type JudgeCommand = (table: string, command: AlterTableCmd, context: ScriptContext) => Judgement;

/** ALTER TABLE and its kin: each of its commands by its own rule. */
export function alterTable(statement: AlterTableStmt, context: ScriptContext): Judgement {
  const table = tableName(statement.relation);
  const commands = (statement.cmds ?? []).flatMap((node: Node) =>
    'AlterTableCmd' in node ? [node.AlterTableCmd] : [],
  );
  const results = commands.map((command) => judgeCommand(table, command, context));
  const place = statement.relation?.location;
  return {
    class: gravest(['expand', ...results.map((result) => result.class)]),
    findings: results
      .flatMap(({ findings }) => findings)
      .map((found) => ({ ...found, location: found.location ?? place })),
  };
}

function judgeCommand(table: string, command: AlterTableCmd, context: ScriptContext): Judgement {
  const judge = command.subtype === undefined ? undefined : commands[command.subtype];
  if (judge === undefined) return judged('expand');
  const found = judge(table, command, context);
  return context.isNew(table) ? judged('expand') : found;
}

const rewrite: JudgeCommand = (table, _command, context) =>
  context.isSmall(table)
    ? judged('expand')
    : judged('expand', {
        rule: 'table-rewrite',
        reason: `Every row of ${table} is written anew under ACCESS EXCLUSIVE: nobody can read it meanwhile.`,
      });

const commands: Partial<Readonly<Record<Subtype, JudgeCommand>>> = {
  AT_AddColumn: (table, { def }, context) =>
    def !== undefined && 'ColumnDef' in def
      ? judged('expand', ...addedColumn(table, def.ColumnDef, context))
      : judged('expand'),
  AT_DropColumn: (table, { name = '' }) =>
    judged('contract', {
      rule: 'drop-column',
      reason: `Live code may still use ${table}.${name}, and its data are lost.`,
    }),
  AT_AlterColumnType: changedType,
  AT_SetNotNull: (table, { name = '' }, context) => setNotNull(table, name, context),
  AT_ColumnDefault: (table, { name = '', def }) =>
    def === undefined
      ? judged('contract', {
          rule: 'drop-default',
          reason: `Live code may leave ${table}.${name} to its default.`,
        })
      : judged('expand'),
  AT_AddConstraint: (table, { def }, context) =>
    def !== undefined && 'Constraint' in def
      ? judged('expand', ...addedConstraint(table, def.Constraint, context))
      : judged('expand'),
  AT_ValidateConstraint: validated,
  AT_DropConstraint: (table, { name = '' }, context) =>
    context.catalog?.tables.get(table)?.unique.has(name) === true
      ? judged('contract', { rule: 'drop-unique', reason: `Live code may name ${name} of ${table} in ON CONFLICT.` })
      : judged('expand'),
  AT_DetachPartition: (table, { def }) => {
    const concurrent = def !== undefined && 'PartitionCmd' in def && def.PartitionCmd.concurrent === true;
    const reason = `Detaching a partition locks all of ${table} for reading and writing.`;
    return judged('contract', ...(concurrent ? [] : [{ rule: 'partition-without-concurrently', reason } as const]));
  },
  AT_EnableRowSecurity: (table) =>
    judged('breaking', { rule: 'row-security', reason: `Without a policy, live code sees no rows of ${table}.` }),
  AT_ForceRowSecurity: (table) =>
    judged('breaking', { rule: 'row-security', reason: `Without a policy, even the owner sees no rows of ${table}.` }),
  AT_SetTableSpace: rewrite,
  AT_SetLogged: rewrite,
  AT_SetUnLogged: rewrite,
  AT_SetAccessMethod: rewrite,
  AT_AddIdentity: () => judged('expand'),
};

function changedType(table: string, { name = '', def }: AlterTableCmd, { catalog }: ScriptContext): Judgement {
  const column = def !== undefined && 'ColumnDef' in def ? def.ColumnDef : undefined;
  const wanted = typeText(column?.typeName);
  const present = catalog?.tables.get(table)?.columns.get(name);
  // USING works every row out anew.
  if (present !== undefined && column?.raw_default === undefined && keepsRows(present, wanted)) return judged('expand');
  const from = present === undefined ? '' : ` from ${present}`;
  return judged('breaking', {
    rule: 'column-type-change',
    reason: `Changing ${table}.${name}${from} to ${wanted} writes the table anew under ACCESS EXCLUSIVE, and live code expects the old type.`,
    location: column?.location,
  });
}

function setNotNull(table: string, column: string, context: ScriptContext): Judgement {
  const compatible: Finding = {
    rule: 'set-not-null',
    reason: `Live code that writes NULL into ${table}.${column} fails.`,
  };
  if (context.isSmall(table) || context.isCheckedNotNull(table, column)) return judged('contract', compatible);
  const reason = `SET NOT NULL reads all of ${table} under ACCESS EXCLUSIVE, as no validated CHECK says that ${column} has no NULL.`;
  return judged('contract', compatible, { rule: 'not-null-scan', reason });
}

const words: Partial<Readonly<Record<NonNullable<Constraint['contype']>, string>>> = {
  CONSTR_CHECK: 'CHECK',
  CONSTR_FOREIGN: 'FOREIGN KEY',
  CONSTR_UNIQUE: 'UNIQUE',
  CONSTR_PRIMARY: 'PRIMARY KEY',
  CONSTR_EXCLUSION: 'EXCLUDE',
  CONSTR_NOTNULL: 'NOT NULL',
};

function addedConstraint(table: string, constraint: Constraint, context: ScriptContext): readonly Finding[] {
  const { contype, conname = '', skip_validation: skipped = false, indexname, location } = constraint;
  const word = contype === undefined ? '' : (words[contype] ?? '');
  const checked = checkedColumn(constraint);
  if (checked !== undefined) context.addNotNullCheck(table, conname, checked, !skipped);
  if (contype === 'CONSTR_UNIQUE' || contype === 'CONSTR_PRIMARY' || contype === 'CONSTR_EXCLUSION') {
    if (indexname !== undefined || context.isSmall(table)) return [];
    const reason = `${word} builds its index while nobody can write to ${table}.`;
    return [{ rule: 'constraint-builds-index', reason, location }];
  }
  if (skipped) context.unvalidated.add(`${table}.${conname}`);
  if (skipped || context.isSmall(table)) return [];
  const reason = `${word} is checked against every row of ${table} while it is locked.`;
  return [{ rule: 'constraint-without-not-valid', reason, location }];
}

/** The column of a constraint that says `column IS NOT NULL` and nothing else. */
function checkedColumn({ contype, raw_expr: expression }: Constraint): string | undefined {
  if (contype !== 'CONSTR_CHECK' || expression === undefined || !('NullTest' in expression)) return undefined;
  const { arg, nulltesttype } = expression.NullTest;
  if (nulltesttype !== 'IS_NOT_NULL' || arg === undefined || !('ColumnRef' in arg)) return undefined;
  const [field] = arg.ColumnRef.fields ?? [];
  return field !== undefined && 'String' in field ? field.String.sval : undefined;
}

function validated(table: string, { name = '' }: AlterTableCmd, context: ScriptContext): Judgement {
  context.validate(table, name);
  if (!context.inTransaction || !context.unvalidated.has(`${table}.${name}`) || context.isSmall(table)) {
    return judged('expand');
  }
  return judged('expand', {
    rule: 'validate-in-same-transaction',
    reason: `${name} is validated in the transaction that added it, so the lock of ADD CONSTRAINT on ${table} lasts through the scan.`,
  });
}
