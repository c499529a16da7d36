import type { Location } from '../model/problem.ts';

const maxWidth = 100;
const wide =
  /[\p{Extended_Pictographic}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\uFF01-\uFF60]/u;
const invisible = /[\p{Mn}\p{Cf}]/u;

/**
 * The line of a place between its neighbours, with carets under the marked text. Every character is shown in one cell
 * (tabs and control characters too) or, where terminals do so, in two; long lines are cut around the place.
 */
export function codeFrame(lines: readonly string[], at: Location): string {
  const start = at.column - 1;
  const cut = Math.max(0, start - maxWidth / 2);
  const margin = String(Math.min(at.line + 1, lines.length)).length;
  const show = (number: number) => {
    const line = lines[number - 1];
    return line === undefined ? [] : [`${String(number).padStart(margin)} | ${window(line, cut)}`.trimEnd()];
  };
  return [
    ...show(at.line - 1),
    ...show(at.line),
    `${' '.repeat(margin)} | ${carets(lines[at.line - 1] ?? '', start, cut, at.length ?? 1)}`,
    ...show(at.line + 1),
  ].join('\n');
}

function window(line: string, cut: number): string {
  const end = cut + maxWidth;
  return `${cut > 0 ? '…' : ''}${printable(line.slice(cut, end))}${end < line.length ? '…' : ''}`;
}

function carets(line: string, start: number, cut: number, length: number): string {
  const before = (cut > 0 ? 1 : 0) + cells(line.slice(cut, start));
  const marked = cells(line.slice(start, Math.min(start + length, cut + maxWidth)));
  return ' '.repeat(before) + '^'.repeat(Math.max(1, marked));
}

/** Tabs become a space, control characters their picture: what a terminal shows is what the columns count. */
function printable(text: string): string {
  return text
    .replace(/\t/g, ' ')
    .replace(/[\0-\x1f]/g, (character) => String.fromCodePoint(0x2400 + character.charCodeAt(0)))
    .replace(/[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '\ufffd');
}

function cells(text: string): number {
  let count = 0;
  for (const character of printable(text)) count += wide.test(character) ? 2 : invisible.test(character) ? 0 : 1;
  return count;
}
