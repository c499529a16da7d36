import { canonicalJson } from '../../model/json.ts';
import type { Json } from '../../model/json.ts';
import { gravest } from '../classify/change-class.ts';
import type { ChangeClass } from '../classify/change-class.ts';
import { keepsRows } from '../classify/column-types.ts';
import type { ObjectKind, SchemaSnapshot } from './read-schema.ts';

export interface SchemaChange {
  readonly kind: ObjectKind;
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly class: ChangeClass;
  readonly before?: Json;
  readonly after?: Json;
}

/** What became different, by kind and name. What belongs to a table that came or went is not told by itself. */
export function diffSchemas(before: SchemaSnapshot, after: SchemaSnapshot): readonly SchemaChange[] {
  const changes = [...after.keys()].flatMap((kind) =>
    diffKind(kind, before.get(kind) ?? empty, after.get(kind) ?? empty),
  );
  const whole = new Set(
    changes.filter(({ kind, change }) => kinds.has(kind) && change !== 'changed').map(({ name }) => name),
  );
  return changes.filter(({ kind, name }) => kinds.has(kind) || !whole.has(tableOf(name)));
}

/** The gravest class of some changes: what a migration asks of live code when no SQL of it is known. */
export function classOfDiff(changes: readonly SchemaChange[]): ChangeClass {
  return gravest(changes.map((change) => change.class));
}

const empty: ReadonlyMap<string, Json> = new Map();
const kinds: ReadonlySet<ObjectKind> = new Set<ObjectKind>(['table', 'view']);

function diffKind(
  kind: ObjectKind,
  before: ReadonlyMap<string, Json>,
  after: ReadonlyMap<string, Json>,
): readonly SchemaChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return names.flatMap((name): readonly SchemaChange[] => {
    const [old, wanted] = [before.get(name), after.get(name)];
    if (old === undefined && wanted !== undefined) {
      return [{ kind, name, change: 'added', class: classOfAdded(kind, wanted), after: wanted }];
    }
    if (old !== undefined && wanted === undefined) {
      return [{ kind, name, change: 'removed', class: classOfRemoved(kind, old), before: old }];
    }
    if (old === undefined || wanted === undefined || canonicalJson(old) === canonicalJson(wanted)) return [];
    return [{ kind, name, change: 'changed', class: classOfChanged(kind, old, wanted), before: old, after: wanted }];
  });
}

/** `schema.table` of `schema.table.column`. */
function tableOf(name: string): string {
  return name.slice(0, name.lastIndexOf('.'));
}

function classOfAdded(kind: ObjectKind, definition: Json): ChangeClass {
  return kind === 'column' && isRequired(definition) ? 'breaking' : 'expand';
}

function isRequired(column: Json): boolean {
  const { notNull, default: value, identity, generated } = fieldsOf(column);
  return notNull === true && value === null && identity === '' && generated === '';
}

/** A constraint less lets more in; all else that goes may be missed. */
function classOfRemoved(kind: ObjectKind, definition: Json): ChangeClass {
  if (kind === 'constraint') return 'pux'.includes(textOf(definition, 'type')) ? 'contract' : 'expand';
  if (kind === 'index') return fieldsOf(definition)['unique'] === true ? 'contract' : 'expand';
  return kind === 'statistics' ? 'expand' : 'contract';
}

function classOfChanged(kind: ObjectKind, before: Json, after: Json): ChangeClass {
  if (kind === 'column') return classOfColumn(fieldsOf(before), fieldsOf(after));
  if (kind === 'enum') return isLonger(before, after) ? 'expand' : 'breaking';
  if (kind === 'table') return classOfTable(fieldsOf(before), fieldsOf(after));
  if (kind === 'constraint') return isValidation(before, after) ? 'expand' : 'contract';
  return kind === 'domain' || kind === 'range' || kind === 'policy' ? 'breaking' : 'expand';
}

function classOfColumn(before: Fields, after: Fields): ChangeClass {
  const sameType = keepsRows(textOf(before, 'type'), textOf(after, 'type'));
  if (!sameType || before['generated'] !== after['generated'] || before['collation'] !== after['collation'])
    return 'breaking';
  if (after['notNull'] === true && before['notNull'] !== true) return 'contract';
  const lostDefault = before['default'] !== null && after['default'] === null && after['identity'] === '';
  return lostDefault || (before['identity'] !== '' && after['identity'] === '') ? 'contract' : 'expand';
}

function classOfTable(before: Fields, after: Fields): ChangeClass {
  const secured = ['rowSecurity', 'forcedRowSecurity'].some((key) => after[key] === true && before[key] !== true);
  return secured || before['kind'] !== after['kind'] ? 'breaking' : 'expand';
}

/** Every old value is there still, in its order. */
function isLonger(before: Json, after: Json): boolean {
  const [old, wanted] = [textsOf(before), textsOf(after)];
  return old.join('\n') === wanted.filter((value) => old.includes(value)).join('\n');
}

function isValidation(before: Json, after: Json): boolean {
  return textOf(before, 'definition').replace(/ NOT VALID$/, '') === textOf(after, 'definition');
}

type Fields = Readonly<Record<string, Json>>;

function fieldsOf(value: Json): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function textOf(value: Json, key: string): string {
  const text = fieldsOf(value)[key];
  return typeof text === 'string' ? text : '';
}

function textsOf(value: Json): readonly string[] {
  return Array.isArray(value) ? (value as readonly Json[]).map(String) : [];
}

/** Tables that some changes concern and that are still there, `schema.table`. */
export function changedTables(changes: readonly SchemaChange[]): readonly string[] {
  const tables = changes.flatMap(({ kind, name, change }) => {
    if (kind === 'table') return change === 'removed' ? [] : [name];
    return ofTables.has(kind) ? [tableOf(name)] : [];
  });
  return [...new Set(tables)].toSorted();
}

const ofTables: ReadonlySet<ObjectKind> = new Set<ObjectKind>([
  'column',
  'constraint',
  'index',
  'trigger',
  'rule',
  'policy',
]);
