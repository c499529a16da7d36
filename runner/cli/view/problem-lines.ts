import type { Problem } from '../../model/problem.ts';
import type { Palette } from '../terminal/palette.ts';
import { harmless } from '../terminal/text.ts';
import { count } from './words.ts';

/** Place, sentence, frame and next step of each problem, and how many there are. */
export function problemLines(problems: readonly Problem[], palette: Palette): readonly string[] {
  const blocks = problems.flatMap(({ file, line, column, code, message, frame, hint }) => [
    `${palette.strong(`${file}:${line}:${column}`)} ${palette.bad(message)} ${palette.faint(`(${code})`)}`,
    ...(frame === undefined ? [] : frame.split('\n').map((text) => `  ${harmless(text, false)}`)),
    ...(hint === undefined ? [] : [`  ${palette.ask(hint)}`]),
    '',
  ]);
  return [...blocks, palette.bad(count(problems.length, 'problem'))];
}
