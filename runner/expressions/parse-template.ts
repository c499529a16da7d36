import type { Fault } from './fault.ts';

/** An expression of a template; `offset` is where its CEL text begins. */
export interface TemplateExpression {
  readonly cel: string;
  readonly offset: number;
}

export type TemplatePart = string | TemplateExpression;

const opening = '${{';

/** Splits text at each `${{ … }}`. `$${{` stands for the characters `${{`. Text without any gives one part, or none if empty. */
export function parseTemplate(
  text: string,
): { readonly ok: true; readonly parts: readonly TemplatePart[] } | { readonly ok: false; readonly fault: Fault } {
  const parts: TemplatePart[] = [];
  let plain = '';
  let position = 0;
  for (let start = text.indexOf(opening); start >= 0; start = text.indexOf(opening, position)) {
    const escaped = start > position && text[start - 1] === '$';
    plain += text.slice(position, escaped ? start - 1 : start);
    position = start + opening.length;
    if (escaped) {
      plain += opening;
      continue;
    }
    const end = endOfExpression(text, position);
    if (end === undefined) return { ok: false, fault: unclosed(start) };
    const raw = text.slice(position, end);
    if (plain !== '') parts.push(plain);
    plain = '';
    parts.push({ cel: raw.trim(), offset: position + raw.length - raw.trimStart().length });
    position = end + 2;
  }
  plain += text.slice(position);
  if (plain !== '') parts.push(plain);
  return { ok: true, parts };
}

function unclosed(offset: number): Fault {
  return {
    message: '`${{` is not closed.',
    hint: 'Close it with `}}`, or write `$${{` for the characters themselves.',
    offset,
    length: opening.length,
  };
}

/** Offset of the `}}` that ends the expression: braces of map literals and of strings do not count. */
function endOfExpression(text: string, from: number): number | undefined {
  let depth = 0;
  for (let index = from; index < text.length; index++) {
    const character = text[index];
    if (character === "'" || character === '"') index = endOfString(text, index);
    else if (character === '{') depth++;
    else if (character === '}' && depth > 0) depth--;
    else if (character === '}' && text[index + 1] === '}') return index;
  }
  return undefined;
}

function endOfString(text: string, from: number): number {
  const raw = /[rR]/.test(text[from - 1] ?? '');
  for (let index = from + 1; index < text.length; index++) {
    if (text[index] === '\\' && !raw) index++;
    else if (text[index] === text[from]) return index;
  }
  return text.length;
}
