import type { Fault } from './fault.ts';
import { faultOf } from './fault.ts';
import { parseExpression } from './parse-expression.ts';
import type { ParsedExpression, Reference } from './parse-expression.ts';

/** Where an expression stands, as far as it decides what the expression may use and give. */
export interface Place {
  readonly roots: ReadonlySet<string>;
  readonly result: 'condition' | 'text';
  readonly hashFiles?: boolean;
}

export type CheckedExpression =
  { readonly ok: true; readonly references: readonly Reference[] } | { readonly ok: false; readonly fault: Fault };

const resultTypes: Readonly<Record<Place['result'], ReadonlySet<string>>> = {
  condition: new Set(['bool', 'dyn']),
  text: new Set(['string', 'bool', 'int', 'double', 'dyn']),
};

/** Syntax, names, functions and types of an expression at its place. Answers what it refers to. */
export function checkExpression(cel: string, place: Place): CheckedExpression {
  const parsed = parseExpression(cel);
  if (!parsed.ok) return parsed;
  const fault =
    unknownRoot(cel, parsed.expression.references, place) ??
    forbiddenFunction(parsed.expression, place) ??
    wrongType(cel, parsed.expression, place);
  return fault ? { ok: false, fault } : { ok: true, references: parsed.expression.references };
}

/** The names that an expression begins its paths with; empty when it cannot be read. */
export function rootsOf(cel: string): ReadonlySet<string> {
  const parsed = parseExpression(cel);
  return new Set(parsed.ok ? parsed.expression.references.map((reference) => reference.path[0] ?? '') : []);
}

function unknownRoot(cel: string, references: readonly Reference[], place: Place): Fault | undefined {
  for (const { path, offset, length } of references) {
    const name = path[0] ?? '';
    if (place.roots.has(name)) continue;
    const dashed = dashedName(cel, offset);
    return {
      message: `\`${name}\` is not known here.`,
      offset,
      length: Math.min(length, name.length),
      ...(dashed ? { hint: dashed } : { unknown: { name, candidates: [...place.roots] } }),
    };
  }
  return undefined;
}

/** `needs.run-tests.outcome` is a subtraction in CEL; the way out is not obvious. */
function dashedName(cel: string, offset: number): string | undefined {
  const before = /\.([\w-]+)-$/.exec(cel.slice(0, offset));
  const after = /^[\w-]+/.exec(cel.slice(offset));
  return before && after ? `A name with dashes is written \`['${before[1] ?? ''}-${after[0]}']\`.` : undefined;
}

function forbiddenFunction(expression: ParsedExpression, place: Place): Fault | undefined {
  if (place.hashFiles) return undefined;
  const use = expression.functions.find((candidate) => candidate.name === 'hashFiles');
  return use && { message: '`hashFiles` can be used in cache keys only.', offset: use.offset, length: use.name.length };
}

function wrongType(cel: string, expression: ParsedExpression, place: Place): Fault | undefined {
  const { valid, type = 'dyn', error } = expression.program.check();
  if (!valid) return faultOf(error, cel);
  if (resultTypes[place.result].has(type)) return undefined;
  const wanted = place.result === 'condition' ? 'true or false' : 'text, a number, true or false';
  return { message: `The expression gives ${type}, but ${wanted} is needed here.`, offset: 0, length: cel.length };
}
