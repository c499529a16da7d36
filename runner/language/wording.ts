import type { Json } from '../model/json.ts';
import type { Path } from './positioned.ts';

const maxLength = 60;

/** A text of the file as a message shows it. */
export const shorten = (text: string): string => (text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text);

/** A text, number, boolean or null as it was written; `''` for lists and maps. */
export const scalarText = (value: Json): string => (typeof value === 'object' ? '' : String(value));

/** The way to a value as people write it: `steps.lint.needs[0]`. */
export function pathText(path: Path): string {
  if (path.length === 0) return 'The file';
  const text = path.map((segment) => (typeof segment === 'number' ? `[${segment}]` : `.${shorten(segment)}`)).join('');
  return `\`${text.slice(1)}\``;
}

/** "`a`, `b` and `c`" */
export function listOf(names: readonly string[], word: 'and' | 'or' = 'and'): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length > 1 ? `${quoted.slice(0, -1).join(', ')} ${word} ${quoted.at(-1) ?? ''}` : quoted.join('');
}

/** What stands on a line before a comment and the white space in front of it. */
export function withoutComment(line: string): string {
  const comment = line.search(/\s#/);
  return (comment < 0 ? line : line.slice(0, comment)).trimEnd();
}

/** A text in the way that YAML can take it anywhere, in quotes where it must be. */
export function inQuotes(text: string): string {
  const short = shorten(text);
  if (/^[A-Za-z0-9][\w./-]*$/.test(short)) return short;
  return short.includes("'") && !/["\\]/.test(short) ? `"${short}"` : `'${short.replaceAll("'", "''")}'`;
}
