import type { Node, RangeVar } from 'libpg-query';
import type { Catalog } from '../catalog.ts';
import type { ChangeClass } from './change-class.ts';
import type { RuleId } from './rules.ts';

/** What a rule found. `location` is that of a node, as the grammar counts. */
export interface Finding {
  readonly rule: RuleId;
  readonly reason: string;
  readonly location?: number | undefined;
}

export interface Judgement {
  /** Of the statement itself; rules that find something may make it graver. */
  readonly class: ChangeClass;
  readonly findings: readonly Finding[];
}

/** A table of so few rows is scanned or rewritten before anybody notices. */
const fewRows = 10_000;

/** What earlier statements of the same release and the catalog say about the objects of a statement. */
export class ScriptContext {
  readonly catalog: Catalog | undefined;
  /** Whether statements of the present script share a transaction. */
  inTransaction = false;
  /** The statement may be skipped, so that what it makes may be something older. */
  conditional = false;
  /** Enum values that the present transaction added. */
  readonly newEnumValues = new Set<string>();
  /** Constraints that the present transaction added NOT VALID, `schema.table.name`. */
  readonly unvalidated = new Set<string>();
  readonly #made = new Set<string>();
  readonly #checkedNotNull = new Set<string>();
  readonly #pendingChecks = new Map<string, string>();

  constructor(catalog: Catalog | undefined) {
    this.catalog = catalog;
  }

  /** The object did not exist before this release: nobody uses it and nothing is in it. */
  make(name: string): void {
    if (!this.conditional) this.#made.add(name);
  }

  isNew(name: string): boolean {
    return this.#made.has(name);
  }

  /** Whether work that grows with the rows of the table is done at once. */
  isSmall(table: string): boolean {
    const rows = this.catalog?.tables.get(table)?.rows;
    return this.isNew(table) || (rows !== undefined && rows < fewRows);
  }

  /** A CHECK that a column is not null; it counts once it is validated. */
  addNotNullCheck(table: string, constraint: string, column: string, validated: boolean): void {
    if (validated) this.#checkedNotNull.add(`${table}.${column}`);
    else this.#pendingChecks.set(`${table}.${constraint}`, column);
  }

  validate(table: string, constraint: string): void {
    const column = this.#pendingChecks.get(`${table}.${constraint}`);
    if (column !== undefined) this.#checkedNotNull.add(`${table}.${column}`);
  }

  isCheckedNotNull(table: string, column: string): boolean {
    const known = this.catalog?.tables.get(table)?.checkedNotNull.has(column) === true;
    return known || this.#checkedNotNull.has(`${table}.${column}`);
  }

  endTransaction(): void {
    this.newEnumValues.clear();
    this.unvalidated.clear();
  }
}

export function tableName(table: RangeVar | undefined): string {
  return `${table?.schemaname ?? 'public'}.${table?.relname ?? ''}`;
}

/** A name as the grammar has it in lists, `schema.name`. */
export function listName(parts: readonly Node[]): string {
  const words = parts.flatMap((part) => ('String' in part ? [part.String.sval ?? ''] : []));
  return words.length > 1 ? words.slice(-2).join('.') : `public.${words[0] ?? ''}`;
}

export const judged = (name: ChangeClass, ...findings: readonly Finding[]): Judgement => ({ class: name, findings });
