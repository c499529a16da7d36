import type { Json } from '../model/json.ts';
import type { Expression, Template } from '../model/plan.ts';
import { faultOf } from './fault.ts';
import { parseExpression } from './parse-expression.ts';
import type { ParsedExpression } from './parse-expression.ts';

/** Values by root: `branch`, `matrix`, `needs`, … */
export type Scope = Readonly<Record<string, Json>>;

export type Evaluated<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly message: string };

/** Whether a condition holds. Never throws; a value that is not set or not a boolean is a message. */
export function evaluateCondition(condition: Expression, scope: Scope): Evaluated<boolean> {
  const result = evaluate(condition.cel, scope);
  if (!result.ok) return result;
  if (typeof result.value === 'boolean') return { ok: true, value: result.value };
  return { ok: false, message: `\`${condition.cel}\` is ${kindOf(result.value)}, but true or false is needed.` };
}

/** The text of a template with the values of `scope`. Never throws. */
export function renderTemplate(template: Template, scope: Scope): Evaluated<string> {
  if (typeof template === 'string') return { ok: true, value: template };
  let text = '';
  for (const part of template.parts) {
    const piece = typeof part === 'string' ? part : asText(part.cel, evaluate(part.cel, scope));
    if (typeof piece === 'string') text += piece;
    else if (piece.ok) text += piece.value;
    else return piece;
  }
  return { ok: true, value: text };
}

/** An expression as text: strings as they are, numbers and booleans plainly; everything else is a message. */
export function evaluateText(expression: ParsedExpression, scope: Scope): Evaluated<string> {
  return asText(expression.cel, run(expression, scope));
}

function evaluate(cel: string, scope: Scope): Evaluated<unknown> {
  const parsed = parseExpression(cel);
  if (!parsed.ok) return { ok: false, message: `\`${cel}\`: ${parsed.fault.message}` };
  return run(parsed.expression, scope);
}

function run(expression: ParsedExpression, scope: Scope): Evaluated<unknown> {
  try {
    const value: unknown = expression.program(scope);
    return { ok: true, value };
  } catch (error) {
    return { ok: false, message: faultOf(error, expression.cel).message };
  }
}

function asText(cel: string, result: Evaluated<unknown>): Evaluated<string> {
  if (!result.ok) return result;
  if (typeof result.value === 'string') return { ok: true, value: result.value };
  if (['number', 'bigint', 'boolean'].includes(typeof result.value)) return { ok: true, value: String(result.value) };
  return { ok: false, message: `\`${cel}\` is ${kindOf(result.value)}, but text is needed.` };
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'text';
  return typeof value === 'object' ? 'a map' : 'a number';
}
