import type { Problem } from '../model/problem.ts';

/** Terminal codes that start and end a style. */
const styles = { bold: [1, 22], dim: [2, 22], red: [31, 39], cyan: [36, 39] } as const;

/** Problems as a person reads them: place and message, the frame, the hint; their number at the end. */
export function renderProblems(problems: readonly Problem[], { color }: { readonly color: boolean }): string {
  const paint = (style: keyof typeof styles, text: string) =>
    color ? `\x1b[${styles[style][0]}m${text}\x1b[${styles[style][1]}m` : text;
  const frameRow = (row: string) => `  ${paint(/^ *\| *\^+$/.test(row) ? 'red' : 'dim', row)}`;
  const render = ({ file, line, column, code, message, frame, hint }: Problem) =>
    [
      `${paint('bold', `${file}:${line}:${column}`)} ${message} ${paint('dim', `[${code}]`)}`,
      ...(frame === undefined ? [] : frame.split('\n').map(frameRow)),
      ...(hint === undefined ? [] : [`  ${paint('cyan', hint)}`]),
      '',
    ].join('\n');
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const files = [...new Set(problems.map(({ file }) => file))];
  return [...problems.map(render), `${paint('bold', count)} in ${files.join(', ')}`].join('\n');
}
