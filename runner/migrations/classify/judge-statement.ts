import type { CreateFunctionStmt, DoStmt, IndexStmt, Node, RenameStmt, SelectStmt } from 'libpg-query';
import { alterTable } from './alter-table.ts';
import { gravest } from './change-class.ts';
import type { ChangeClass } from './change-class.ts';
import { changedRows } from './changed-rows.ts';
import { concurrentIndex, dropped, inTransaction } from './dropped.ts';
import { statementsOfBlock } from './parse-script.ts';
import { judged, listName, tableName } from './script-context.ts';
import type { Finding, Judgement, ScriptContext } from './script-context.ts';
import { functionsIn, nodesBelow } from './walk.ts';

type Kinds = Node extends infer Each ? (Each extends unknown ? keyof Each : never) : never;
type BodyOf<Kind extends Kinds> = Extract<Node, Record<Kind, unknown>>[Kind];
type Judges = { readonly [Kind in Kinds]?: (statement: BodyOf<Kind>, context: ScriptContext) => Judgement };

/** What a statement asks of live code and of the tables it touches. A kind that no rule knows is taken for the worst. */
export function judgeStatement(node: Node, context: ScriptContext): Judgement {
  const [[kind, body] = ['', undefined]] = Object.entries(node) as Iterable<[string, unknown]> as [string, unknown][];
  const judge = (
    judges as Readonly<Record<string, ((statement: unknown, context: ScriptContext) => Judgement) | undefined>>
  )[kind];
  if (judge !== undefined) return judge(body, context);
  const reason = `Nothing is known of statements like this one (${kind}).`;
  return judged('breaking', { rule: 'unknown-statement', reason });
}

const always = (name: ChangeClass) => () => judged(name);
const database = (): Judgement =>
  judged('breaking', { rule: 'database-statement', reason: 'It concerns more than the schema of this database.' });

const judges: Judges = {
  CreateStmt: ({ relation, if_not_exists: maybe = false }, context) => {
    // What may have been there already is not new.
    if (!maybe) context.make(tableName(relation));
    return judged('expand');
  },
  CreateTableAsStmt: ({ into, if_not_exists: maybe = false }, context) => {
    if (!maybe) context.make(tableName(into?.rel));
    return judged('expand');
  },
  IndexStmt: createdIndex,
  AlterTableStmt: alterTable,
  RenameStmt: renamed,
  DropStmt: dropped,
  AlterObjectSchemaStmt: ({ relation }) => {
    const reason = `Live code finds ${relation === undefined ? 'it' : tableName(relation)} no more in its old schema.`;
    return judged('breaking', { rule: 'rename', reason });
  },
  AlterEnumStmt: ({ typeName = [], oldVal, newVal = '' }, context) => {
    if (oldVal !== undefined) {
      const reason = `Live code may still read and write '${oldVal}' of ${listName(typeName)}.`;
      return judged('breaking', { rule: 'rename', reason });
    }
    if (context.inTransaction) context.newEnumValues.add(newVal);
    return judged('expand');
  },
  TruncateStmt: ({ relations = [] }, context) => {
    const tables = relations.flatMap((table) => ('RangeVar' in table ? [tableName(table.RangeVar)] : []));
    const old = tables.find((table) => !context.isNew(table));
    if (old === undefined) return judged('data');
    return judged('breaking', {
      rule: 'truncate',
      reason: `All rows of ${old} are lost, and nobody can read it meanwhile.`,
    });
  },
  UpdateStmt: changedRows,
  DeleteStmt: changedRows,
  InsertStmt: always('data'),
  CopyStmt: always('data'),
  MergeStmt: changedRows,
  SelectStmt: selected,
  DoStmt: block,
  CallStmt: () => judged('breaking', { rule: 'opaque-code', reason: 'A procedure may do anything.' }),
  CreateFunctionStmt: createdFunction,
  RefreshMatViewStmt: ({ relation, concurrent = false, skipData = false }, context) => {
    if (concurrent || context.isNew(tableName(relation))) return judged('data');
    const what = skipData ? 'is emptied' : 'is made anew';
    const reason = `${tableName(relation)} ${what} while nobody can read it.`;
    return judged('data', { rule: 'refresh-without-concurrently', reason });
  },
  VacuumStmt: ({ options = [], is_vacuumcmd: vacuum = false }, context) => {
    const full = options.some((option) => 'DefElem' in option && option.DefElem.defname === 'full');
    const found: Finding[] = full
      ? [{ rule: 'table-rewrite', reason: 'VACUUM FULL writes the table anew while nobody can read it.' }]
      : [];
    if (vacuum && context.inTransaction) found.push(inTransaction('VACUUM'));
    return judged('none', ...found);
  },
  ReindexStmt: ({ params = [] }, context) => {
    const concurrent = params.some((option) => 'DefElem' in option && option.DefElem.defname === 'concurrently');
    return concurrentIndex(concurrent, 'REINDEX blocks writers, and readers who need the index.', context);
  },
  LockStmt: () => judged('expand', { rule: 'explicit-lock', reason: 'The lock is held until the transaction ends.' }),
  GrantStmt: ({ is_grant: gives = false }) =>
    gives ? judged('expand') : judged('contract', { rule: 'revoke', reason: 'Live code may need the right.' }),
  GrantRoleStmt: ({ is_grant: gives = false }) =>
    gives ? judged('expand') : judged('contract', { rule: 'revoke', reason: 'Live code may need the role.' }),
  AlterDomainStmt: ({ subtype, typeName = [], def }) => {
    const skipped = def !== undefined && 'Constraint' in def && def.Constraint.skip_validation === true;
    if ((subtype !== 'AD_AddConstraint' && subtype !== 'AD_SetNotNull') || skipped) return judged('expand');
    const reason = `Every table with a column of ${listName(typeName)} is read while it is locked.`;
    return judged('expand', { rule: 'constraint-without-not-valid', reason });
  },
  ViewStmt: always('expand'),
  CreateEnumStmt: ({ typeName = [] }, context) => madeType(typeName, context),
  CreateRangeStmt: ({ typeName = [] }, context) => madeType(typeName, context),
  CreateDomainStmt: ({ domainname = [] }, context) => madeType(domainname, context),
  CompositeTypeStmt: always('expand'),
  CreateSeqStmt: always('expand'),
  AlterSeqStmt: always('expand'),
  CreateSchemaStmt: always('expand'),
  CreateExtensionStmt: always('expand'),
  AlterExtensionStmt: always('expand'),
  CreateTrigStmt: always('expand'),
  CreatePolicyStmt: always('expand'),
  AlterPolicyStmt: always('expand'),
  CreateStatsStmt: always('expand'),
  AlterStatsStmt: always('expand'),
  CreateCastStmt: always('expand'),
  CreateForeignTableStmt: always('expand'),
  CreateRoleStmt: always('expand'),
  AlterRoleStmt: always('expand'),
  AlterDefaultPrivilegesStmt: always('expand'),
  AlterOwnerStmt: always('expand'),
  AlterFunctionStmt: always('expand'),
  AlterTypeStmt: always('expand'),
  DefineStmt: always('expand'),
  RuleStmt: always('expand'),
  CommentStmt: always('none'),
  SecLabelStmt: always('none'),
  TransactionStmt: always('none'),
  VariableSetStmt: always('none'),
  VariableShowStmt: always('none'),
  ConstraintsSetStmt: always('none'),
  DiscardStmt: always('none'),
  NotifyStmt: always('none'),
  CreatedbStmt: database,
  DropdbStmt: database,
  AlterDatabaseStmt: database,
  AlterSystemStmt: database,
  DropRoleStmt: database,
  DropOwnedStmt: database,
  CreateTableSpaceStmt: database,
  DropTableSpaceStmt: database,
};

function madeType(name: readonly Node[], context: ScriptContext): Judgement {
  context.make(listName(name));
  return judged('expand');
}

function createdIndex(statement: IndexStmt, context: ScriptContext): Judgement {
  const { relation, concurrent = false, unique = false, idxname = '' } = statement;
  const table = tableName(relation);
  if (idxname !== '' && statement.if_not_exists !== true)
    context.make(`${relation?.schemaname ?? 'public'}.${idxname}`);
  if (!concurrent && context.isSmall(table)) return judged('expand');
  const what = unique ? 'A unique index' : 'An index';
  return concurrentIndex(concurrent, `${what} is built on ${table} while nobody can write to it.`, context);
}

/** Names that code uses; those of constraints, triggers and indexes are nearly always the database's own affair. */
const usedByCode = new Set(
  'TABLE COLUMN VIEW MATVIEW SCHEMA TYPE DOMAIN FUNCTION PROCEDURE ROUTINE SEQUENCE ATTRIBUTE FOREIGN_TABLE DATABASE'.split(
    ' ',
  ),
);

function renamed({ renameType, relation, subname, newname, object }: RenameStmt, context: ScriptContext): Judgement {
  const kind = (renameType ?? '').replace('OBJECT_', '');
  const table = tableName(relation);
  if (!usedByCode.has(kind) || (relation !== undefined && context.isNew(table))) return judged('expand');
  const named = object !== undefined && 'List' in object ? listName(object.List.items ?? []) : table;
  const name = kind === 'COLUMN' || kind === 'ATTRIBUTE' ? `${table}.${subname ?? ''}` : named;
  const reason = `Live code still says ${name}, which is called ${newname ?? ''} from then on.`;
  return judged('breaking', { rule: 'rename', reason, location: relation?.location });
}

/** Harmless in itself, unless it makes a table, changes rows in WITH, or calls a function that may. */
function selected(statement: SelectStmt, context: ScriptContext): Judgement {
  const into = statement.intoClause?.rel;
  if (into !== undefined) context.make(tableName(into));
  const inner = [...nodesBelow(statement.withClause?.ctes)].filter(([kind]) =>
    /^(Update|Delete|Insert|Merge)Stmt$/.test(kind),
  );
  const results = inner.map(([kind, body]) => judgeStatement({ [kind]: body } as unknown as Node, context));
  const calls = functionsIn(statement).length > 0;
  return {
    class: gravest([
      calls ? 'data' : 'none',
      into === undefined ? 'none' : 'expand',
      ...results.map((result) => result.class),
    ]),
    findings: results.flatMap(({ findings }) => findings),
  };
}

/** A block by the statements in it; each may be skipped. */
function block({ args = [] }: DoStmt, context: ScriptContext): Judgement {
  const options = new Map(
    args.flatMap((option) => ('DefElem' in option ? [[option.DefElem.defname, option.DefElem.arg]] : [])),
  );
  const text = wordOf(options.get('as'));
  const language = wordOf(options.get('language')) ?? 'plpgsql';
  const inner = language === 'plpgsql' && text !== undefined ? statementsOfBlock(doBlock(text)) : undefined;
  if (inner === undefined) {
    const reason = 'The block makes statements at run time, or is not PL/pgSQL.';
    return judged('breaking', { rule: 'opaque-code', reason });
  }
  const before = context.conditional;
  context.conditional = true;
  const results = inner.map((node) => judgeStatement(node, context));
  context.conditional = before;
  // Places inside the block are not places of the file.
  const findings = results.flatMap((result) => result.findings.map(({ rule, reason }) => ({ rule, reason })));
  return { class: gravest(results.map((result) => result.class)), findings };
}

function doBlock(text: string): string {
  let tag = '$sluice$';
  while (text.includes(tag)) tag = `$s${tag.slice(1)}`;
  return `DO ${tag}${text}${tag}`;
}

function wordOf(node: Node | undefined): string | undefined {
  return node !== undefined && 'String' in node ? node.String.sval : undefined;
}

function createdFunction({ funcname = [], replace = false }: CreateFunctionStmt, context: ScriptContext): Judgement {
  if (!replace) context.make(listName(funcname));
  return judged('expand');
}
