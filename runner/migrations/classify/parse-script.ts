import { SqlError, loadModule, parsePlPgSQLSync, parseSync, scanSync } from 'libpg-query';
import type { Node } from 'libpg-query';

/** Places are offsets in UTF-16 code units; `location` inside a node is turned into one by `place`. */
export interface ParsedStatement {
  readonly node: Node;
  readonly start: number;
  readonly end: number;
}

export interface Comment {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export interface ParsedScript {
  readonly statements: readonly ParsedStatement[];
  readonly comments: readonly Comment[];
  /** Where PostgreSQL's grammar gave up, and its words. Then there are no statements. */
  readonly error?: { readonly message: string; readonly at: number };
  /** The place of a `location` of a node, undefined when it has none. */
  place(location: number | undefined): number | undefined;
}

/** A script by the grammar of PostgreSQL 18 itself (libpg_query). Never throws for what the text holds. */
export async function parseScript(sql: string): Promise<ParsedScript> {
  await loadModule();
  const toIndex = indexOfBytes(sql);
  const place = (location: number | undefined) =>
    location === undefined || location < 0 ? undefined : toIndex(location);
  const comments = commentsOf(sql, toIndex);
  if (!hasStatement(sql, comments)) return { statements: [], comments, place };
  try {
    const statements = (parseSync(sql).stmts ?? []).flatMap(({ stmt, stmt_location: from = 0, stmt_len: length }) => {
      const end = length === undefined || length === 0 ? sql.length : toIndex(from + length);
      return stmt === undefined ? [] : [{ node: stmt, start: toIndex(from), end }];
    });
    return { statements, comments, place };
  } catch (error) {
    return { statements: [], comments, place, error: { message: messageOf(error), at: errorPlace(sql, error) } };
  }
}

/** Statements inside a block of PL/pgSQL; undefined when it runs texts that are made at run time, or cannot be read. */
export function statementsOfBlock(block: string): readonly Node[] | undefined {
  try {
    const found: Node[] = [];
    return collect(parsePlPgSQLSync(block), found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Adds the statements below a node of PL/pgSQL; false when one is made at run time. */
function collect(value: unknown, into: Node[]): boolean {
  if (Array.isArray(value)) return value.every((item) => collect(item, into));
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, item]: [string, unknown]) => {
    if (/dynexecute|dynfors|dynquery/i.test(key)) return false;
    if (key !== 'PLpgSQL_expr') return collect(item, into);
    into.push(...expressionStatements(item));
    return true;
  });
}

/** An expression is a query in PL/pgSQL: mode 0 is a statement as it stands, all others what SELECT would evaluate. */
function expressionStatements(expression: unknown): readonly Node[] {
  const { query, parseMode } = expression as { readonly query: string; readonly parseMode?: number };
  const text = (parseMode ?? 0) === 0 ? query : `SELECT ${query.replace(/^[\w."]+\s*:?=/, '')}`;
  return (parseSync(text).stmts ?? []).flatMap(({ stmt }) => (stmt === undefined ? [] : [stmt]));
}

function commentsOf(sql: string, toIndex: (bytes: number) => number): readonly Comment[] {
  try {
    // The scanner of the package does not escape control characters in its own answer.
    return scanSync(sql.replace(/(?![\t\n\r])[\0-\x1f]/g, ' '))
      .tokens.filter(({ tokenName }) => tokenName === 'SQL_COMMENT' || tokenName === 'C_COMMENT')
      .map(({ start, end }) => ({ start: toIndex(start), end: toIndex(end) }))
      .map(({ start, end }) => ({ text: sql.slice(start, end), start, end }));
  } catch {
    return []; // A text that cannot be cut into words cannot be parsed either, and that is what is told.
  }
}

function hasStatement(sql: string, comments: readonly Comment[]): boolean {
  let from = 0;
  const rest: string[] = [];
  for (const { start, end } of comments) {
    rest.push(sql.slice(from, start));
    from = end;
  }
  return /[^\s;]/.test(rest.join('') + sql.slice(from));
}

/** The grammar counts bytes of UTF-8. */
function indexOfBytes(text: string): (bytes: number) => number {
  const bytes = Buffer.from(text);
  if (bytes.length === text.length) return (offset) => offset;
  return (offset) => bytes.toString('utf8', 0, offset).length;
}

/** Errors count characters. */
function errorPlace(sql: string, error: unknown): number {
  const characters = error instanceof SqlError ? (error.sqlDetails?.cursorPosition ?? 0) : 0;
  const before = Array.from(sql).slice(0, Math.max(0, characters)).join('');
  return Math.min(before.length, Math.max(0, sql.trimEnd().length - 1));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
