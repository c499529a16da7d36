import type { Json } from '../model/json.ts';
import type { Template } from '../model/plan.ts';
import type { HashFiles } from './cel-environment.ts';
import { faultOf } from './fault.ts';
import { parseExpression } from './parse-expression.ts';

/** Values by root: `branch`, `matrix`, `needs`, … */
export type Scope = Readonly<Record<string, Json>>;

export type Evaluated<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly message: string };

/** Whether a condition holds. Never throws; a value that is not set or not a boolean is a message. */
export function evaluateCondition(cel: string, scope: Scope): Evaluated<boolean> {
  const result = evaluate(cel, scope);
  if (!result.ok) return result;
  if (typeof result.value === 'boolean') return { ok: true, value: result.value };
  return { ok: false, message: `\`${cel}\` is ${kindOf(result.value)}, but true or false is needed.` };
}

/** An expression as text: strings as they are, numbers and booleans plainly; everything else is a message. */
export function evaluateText(cel: string, scope: Scope, hashFiles?: HashFiles): Evaluated<string> {
  const result = evaluate(cel, scope, hashFiles);
  if (!result.ok) return result;
  if (typeof result.value === 'string') return { ok: true, value: result.value };
  if (['number', 'bigint', 'boolean'].includes(typeof result.value)) return { ok: true, value: String(result.value) };
  return { ok: false, message: `\`${cel}\` is ${kindOf(result.value)}, but text is needed.` };
}

/** The text of a template with the values of `scope`. Never throws. */
export function renderTemplate(template: Template, scope: Scope): Evaluated<string> {
  if (typeof template === 'string') return { ok: true, value: template };
  let text = '';
  for (const part of template.parts) {
    const piece = typeof part === 'string' ? { ok: true as const, value: part } : evaluateText(part.cel, scope);
    if (!piece.ok) return piece;
    text += piece.value;
  }
  return { ok: true, value: text };
}

function evaluate(cel: string, scope: Scope, hashFiles?: HashFiles): Evaluated<unknown> {
  const parsed = parseExpression(cel, hashFiles);
  if (!parsed.ok) return { ok: false, message: `\`${cel}\`: ${parsed.fault.message}` };
  try {
    const value: unknown = parsed.expression.program(scope);
    return { ok: true, value };
  } catch (error) {
    return { ok: false, message: faultOf(error, cel).message };
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'text';
  return typeof value === 'object' ? 'a map' : 'a number';
}
