import type { Expression, Template } from '../model/plan.ts';
import { evaluateText } from './expression.ts';
import type { Scope } from './expression.ts';
import type { ParsedExpression } from './parse-expression.ts';

/** What is known before the run. `isKnown` is asked for every path that an expression refers to. */
export interface Knowledge {
  readonly scope: Scope;
  readonly isKnown: (path: readonly string[]) => boolean;
}

export type Reduced<Part> =
  | { readonly ok: true; readonly value: Template }
  | { readonly ok: false; readonly expression: Part; readonly message: string };

/** Turns every expression that can be decided now into text; a template with none left is a plain string. */
export function reduceTemplate<Part extends ParsedExpression>(
  parts: readonly (string | Part)[],
  known: Knowledge,
): Reduced<Part> {
  const reduced: (string | Expression)[] = [];
  for (const part of parts) {
    if (typeof part === 'string') append(reduced, part);
    else if (!part.references.every((reference) => known.isKnown(reference.path))) append(reduced, { cel: part.cel });
    else {
      const text = evaluateText(part, known.scope);
      if (!text.ok) return { ok: false, expression: part, message: text.message };
      append(reduced, text.value);
    }
  }
  return { ok: true, value: reduced.every((part) => typeof part === 'string') ? reduced.join('') : { parts: reduced } };
}

function append(parts: (string | Expression)[], part: string | Expression): void {
  const last = parts.at(-1);
  if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
  else parts.push(part);
}
