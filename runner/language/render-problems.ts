import { styleText } from 'node:util';
import type { Problem } from '../model/problem.ts';

type Style = Parameters<typeof styleText>[0];

/** Problems as a person reads them: place and message, the frame, the hint; their number at the end. */
export function renderProblems(problems: readonly Problem[], { color }: { readonly color: boolean }): string {
  const paint = (style: Style, text: string) => (color ? styleText(style, text, { validateStream: false }) : text);
  const render = ({ file, line, column, code, message, frame, hint }: Problem) =>
    [
      `${paint('bold', `${file}:${line}:${column}`)}: ${paint('red', message)} ${paint('dim', `[${code}]`)}`,
      ...(frame === undefined
        ? []
        : frame.split('\n').map((row) => `  ${paint(/^ *\| *\^+$/.test(row) ? 'red' : 'dim', row)}`)),
      ...(hint === undefined ? [] : [`  ${paint('cyan', 'hint:')} ${hint}`]),
      '',
    ].join('\n');
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const files = new Set(problems.map(({ file }) => file));
  return [...problems.map(render), `${paint('bold', count)} in ${[...files].join(', ')}`].join('\n');
}
