import type { Template } from '../model/plan.ts';
import type { HashFiles } from './cel-environment.ts';
import { evaluateText } from './evaluate-expression.ts';
import type { Scope } from './evaluate-expression.ts';
import { parseExpression } from './parse-expression.ts';
import type { TemplateExpression, TemplatePart } from './parse-template.ts';

/** What is known before the run. `isKnown` is asked for every path that an expression refers to. */
export interface Knowledge {
  readonly scope: Scope;
  readonly isKnown: (path: readonly string[]) => boolean;
  readonly hashFiles?: HashFiles;
}

export type Reduced =
  | { readonly ok: true; readonly value: Template }
  | { readonly ok: false; readonly expression: TemplateExpression; readonly message: string };

/** Turns every expression that can be decided now into text; a template with none left is a plain string. */
export function reduceTemplate(parts: readonly TemplatePart[], known: Knowledge): Reduced {
  const reduced: (string | { readonly cel: string })[] = [];
  for (const part of parts) {
    if (typeof part === 'string' || !isDecidable(part.cel, known)) {
      append(reduced, typeof part === 'string' ? part : { cel: part.cel });
      continue;
    }
    const text = evaluateText(part.cel, known.scope, known.hashFiles);
    if (!text.ok) return { ok: false, expression: part, message: text.message };
    append(reduced, text.value);
  }
  return { ok: true, value: reduced.every((part) => typeof part === 'string') ? reduced.join('') : { parts: reduced } };
}

function isDecidable(cel: string, known: Knowledge): boolean {
  const parsed = parseExpression(cel);
  return parsed.ok && parsed.expression.references.every((reference) => known.isKnown(reference.path));
}

function append(parts: (string | { readonly cel: string })[], part: string | { readonly cel: string }): void {
  const last = parts.at(-1);
  if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
  else parts.push(part);
}
