import type { Node } from 'libpg-query';
import type { Location, Problem } from '../../model/problem.ts';
import type { Catalog } from '../catalog.ts';
import { gravest } from './change-class.ts';
import type { ChangeClass } from './change-class.ts';
import { judgeStatement } from './judge-statement.ts';
import { parseScript } from './parse-script.ts';
import type { ParsedScript, ParsedStatement } from './parse-script.ts';
import { rules } from './rules.ts';
import type { Rule, RuleId } from './rules.ts';
import { ScriptContext } from './script-context.ts';
import type { Judgement } from './script-context.ts';
import { upSection, wantsNoTransaction } from './up-section.ts';
import { readWaiver } from './waivers.ts';
import type { Waiver } from './waivers.ts';
import { nodesBelow } from './walk.ts';

export interface Script {
  /** Its name in messages. */
  readonly file: string;
  readonly sql: string;
}

export interface ClassifyOptions {
  /** Day on which waivers are judged, YYYY-MM-DD in UTC. */
  readonly today: string;
  /** What is known of the database; without it, every table is large and in use. */
  readonly catalog?: Catalog;
  /** In `contract`, what takes away is what is wanted; locks and breaking changes are refused all the same. */
  readonly phase?: 'expand' | 'contract';
  /** Whether the tool runs each file in a transaction, unless the file says otherwise. Default true. */
  readonly transactional?: boolean;
}

/** What a rule says of a statement. */
export interface RuleFinding extends Location {
  readonly rule: RuleId;
  readonly class: ChangeClass;
  readonly reason: string;
  readonly advice: string;
  readonly waiver?: Waiver;
}

export interface ClassifiedStatement extends Location {
  readonly class: ChangeClass;
  readonly text: string;
  readonly findings: readonly RuleFinding[];
}

export interface Classification {
  readonly file: string;
  /** Of its gravest statement. */
  readonly class: ChangeClass;
  /** `refused` when there is a problem. */
  readonly verdict: 'accepted' | 'refused';
  readonly statements: readonly ClassifiedStatement[];
  /** Findings that nothing waives, and mistakes in waivers, by place. */
  readonly problems: readonly Problem[];
}

/** One script by itself. Never throws for what it holds: a mistake of syntax is a problem. */
export async function classify(
  sql: string,
  options: ClassifyOptions & { readonly file: string },
): Promise<Classification> {
  const [only] = await classifyScripts([{ file: options.file, sql }], options);
  if (only === undefined) throw new Error('one script has one classification');
  return only;
}

/** The scripts of one release in the order in which they run: what an earlier one makes is new to the later ones. */
export async function classifyScripts(
  scripts: readonly Script[],
  options: ClassifyOptions,
): Promise<readonly Classification[]> {
  const context = new ScriptContext(options.catalog);
  const results: Classification[] = [];
  for (const script of scripts) {
    const sql = upSection(script.sql);
    const parsed = await parseScript(sql);
    context.inTransaction = (options.transactional ?? true) && !wantsNoTransaction(sql);
    results.push(new Reading({ file: script.file, sql }, parsed, options).classification(context));
    context.endTransaction();
  }
  return results;
}

/** One script on its way to a classification. */
class Reading {
  readonly #script: Script;
  readonly #parsed: ParsedScript;
  readonly #options: ClassifyOptions;
  readonly #problems: Problem[] = [];
  /** Waivers by the statement they stand for. */
  readonly #waivers = new Map<
    ParsedStatement | undefined,
    { readonly waiver: Waiver; readonly at: number; used: boolean }[]
  >();

  constructor(script: Script, parsed: ParsedScript, options: ClassifyOptions) {
    this.#script = script;
    this.#parsed = parsed;
    this.#options = options;
  }

  classification(context: ScriptContext): Classification {
    const { error, statements: parsed } = this.#parsed;
    this.#readWaivers();
    if (error !== undefined)
      this.#problem('syntax-error', this.#locate(error.at, error.at + 1), `${capital(error.message)}.`);
    const statements = parsed.map((statement) => this.#statement(statement, context));
    this.#findUnusedWaivers();
    const problems = this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
    return {
      file: this.#script.file,
      class: error === undefined ? gravest(statements.map((statement) => statement.class)) : 'breaking',
      verdict: problems.length > 0 ? 'refused' : 'accepted',
      statements,
      problems,
    };
  }

  #statement(statement: ParsedStatement, context: ScriptContext): ClassifiedStatement {
    const { node, start, end } = statement;
    const used = usedEnumValue(node, context);
    const judgement = judgeStatement(node, context);
    followTransaction(node, context);
    const all = used === undefined ? judgement.findings : [...judgement.findings, used];
    const findings = all.map((found) => this.#finding(found, statement));
    for (const found of findings) {
      if (found.waiver === undefined && !this.#isWanted(found)) this.#problem(found.rule, found, found.reason);
    }
    return {
      ...this.#locate(start, end),
      class: gravest([judgement.class, ...findings.map((found) => found.class)]),
      text: this.#script.sql.slice(start, end),
      findings,
    };
  }

  #finding({ rule, reason, location }: Judgement['findings'][number], statement: ParsedStatement): RuleFinding {
    const start = this.#parsed.place(location) ?? statement.start;
    const waiver = this.#waivers.get(statement)?.find((candidate) => candidate.waiver.rule === rule);
    if (waiver !== undefined) waiver.used = true;
    return {
      ...this.#locate(start, start === statement.start ? statement.end : wordEnd(this.#script.sql, start)),
      rule,
      class: rules[rule].class,
      reason,
      advice: rules[rule].advice,
      ...(waiver !== undefined && { waiver: waiver.waiver }),
    };
  }

  #isWanted({ rule }: RuleFinding): boolean {
    const { class: name, concern }: Rule = rules[rule];
    return this.#options.phase === 'contract' && name === 'contract' && concern === 'compatibility';
  }

  #readWaivers(): void {
    for (const comment of this.#parsed.comments) {
      const read = readWaiver(comment, this.#options.today);
      if (read === undefined) continue;
      const at = this.#locate(comment.start, comment.end);
      if (!read.ok) {
        this.#problem(read.rule, at, read.reason);
        continue;
      }
      const target = this.#statementOf(comment.start);
      const entry = { waiver: read.waiver, at: comment.start, used: false };
      this.#waivers.set(target, [...(this.#waivers.get(target) ?? []), entry]);
    }
  }

  /** The statement around a comment, else the one that ended on its line, else the next one. */
  #statementOf(at: number): ParsedStatement | undefined {
    const { statements } = this.#parsed;
    const around = statements.find(({ start, end }) => start <= at && at < end);
    if (around !== undefined) return around;
    const before = statements.findLast(({ end }) => end <= at);
    if (before !== undefined && !this.#script.sql.slice(before.end, at).includes('\n')) return before;
    return statements.find(({ start }) => start > at);
  }

  #findUnusedWaivers(): void {
    if (this.#parsed.error !== undefined) return;
    for (const { waiver, at, used } of [...this.#waivers.values()].flat()) {
      if (!used)
        this.#problem('waiver-unused', this.#locate(at, at + 1), `Nothing here needs a waiver of ${waiver.rule}.`);
    }
  }

  #problem(rule: RuleId, at: Location, reason: string): void {
    const { file, line, column, length } = at;
    const place = { file, line, column, ...(length !== undefined && { length }) };
    this.#problems.push({ code: rule, message: reason, hint: rules[rule].advice, ...place });
  }

  /** The mark ends with the line. */
  #locate(start: number, end: number): Location {
    const { file, sql } = this.#script;
    const lineStart = sql.lastIndexOf('\n', start - 1) + 1;
    const lineEnd = sql.indexOf('\n', start);
    const last = Math.min(end, lineEnd === -1 ? sql.length : lineEnd);
    const line = sql.slice(0, lineStart).split('\n').length;
    return { file, line, column: start - lineStart + 1, length: Math.max(1, last - start) };
  }
}

function wordEnd(sql: string, start: number): number {
  const [word = ' '] = /^"?[\w.]+"?|^./.exec(sql.slice(start, start + 200)) ?? [];
  return start + word.length;
}

/** BEGIN and COMMIT of the script itself. */
function followTransaction(node: Node, context: ScriptContext): void {
  if (!('TransactionStmt' in node)) return;
  const { kind } = node.TransactionStmt;
  if (kind === 'TRANS_STMT_BEGIN' || kind === 'TRANS_STMT_START') context.inTransaction = true;
  if (kind !== 'TRANS_STMT_COMMIT' && kind !== 'TRANS_STMT_ROLLBACK') return;
  context.inTransaction = false;
  context.endTransaction();
}

function usedEnumValue(node: Node, context: ScriptContext): Judgement['findings'][number] | undefined {
  if (context.newEnumValues.size === 0 || 'AlterEnumStmt' in node) return undefined;
  const texts = [...nodesBelow(node)].filter(([kind]) => kind === 'A_Const').map(([, { sval }]) => textOf(sval));
  const value = texts.find((text) => text !== undefined && context.newEnumValues.has(text));
  if (value === undefined) return undefined;
  return { rule: 'enum-value-used', reason: `The enum value '${value}' was added in this same transaction.` };
}

function textOf(value: unknown): string | undefined {
  const { sval } = (value ?? {}) as { readonly sval?: string };
  return sval;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
