import type { DropStmt, Node } from 'libpg-query';
import { gravest } from './change-class.ts';
import { judged, listName } from './script-context.ts';
import type { Judgement, ScriptContext } from './script-context.ts';

/** DROP of anything, each object by itself. */
export function dropped(statement: DropStmt, context: ScriptContext): Judgement {
  const results = (statement.objects ?? []).map((object) => droppedObject(statement, objectName(object), context));
  return {
    class: gravest(results.map((result) => result.class)),
    findings: results.flatMap(({ findings }) => findings),
  };
}

function droppedObject({ removeType, concurrent }: DropStmt, name: string, context: ScriptContext): Judgement {
  if (context.isNew(name)) return judged('expand');
  if (removeType === 'OBJECT_INDEX') return droppedIndex(name, concurrent === true, context);
  if (removeType === 'OBJECT_TABLE' || removeType === 'OBJECT_FOREIGN_TABLE') {
    return judged('contract', {
      rule: 'drop-table',
      reason: `Live code may still use ${name}, and its data are lost.`,
    });
  }
  const kind = (removeType ?? '').replace('OBJECT_', '').replace('MATVIEW', 'MATERIALIZED VIEW').toLowerCase();
  return judged('contract', { rule: 'drop-object', reason: `Live code may still use the ${kind} ${name}.` });
}

function droppedIndex(name: string, concurrent: boolean, context: ScriptContext): Judgement {
  const plain = name.slice(name.lastIndexOf('.') + 1);
  const unique = [...(context.catalog?.tables ?? [])].find(([, table]) => table.unique.has(plain));
  const { findings } = concurrentIndex(
    concurrent,
    `Dropping ${name} locks its table for reading and writing.`,
    context,
  );
  if (unique === undefined) return judged('expand', ...findings);
  const reason = `Live code may count on ${name} of ${unique[0]} in ON CONFLICT.`;
  return judged('contract', { rule: 'drop-unique', reason }, ...findings);
}

/** What is wrong with the way in which an index is made or dropped. */
export function concurrentIndex(concurrent: boolean, reason: string, context: ScriptContext): Judgement {
  if (!concurrent) return judged('expand', { rule: 'index-without-concurrently', reason });
  return judged('expand', ...(context.inTransaction ? [inTransaction('CONCURRENTLY')] : []));
}

export function inTransaction(what: string) {
  const reason = `${what} cannot run inside a transaction, and this script is one.`;
  return { rule: 'concurrently-in-transaction', reason } as const;
}

/** Types are named by a TypeName, functions by an ObjectWithArgs, all others by a list of words. */
function objectName(node: Node): string {
  if ('List' in node) return listName(node.List.items ?? []);
  if ('TypeName' in node) return listName(node.TypeName.names ?? []);
  if ('ObjectWithArgs' in node) return listName(node.ObjectWithArgs.objname ?? []);
  return 'String' in node ? (node.String.sval ?? '') : '';
}
