import type { Palette } from '../terminal/palette.ts';
import { padTo, widthOf } from '../terminal/text.ts';
import { oneLine } from './words.ts';

/** A header and rows, each column as wide as its widest cell. */
export function tableLines(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { faint }: Palette,
): readonly string[] {
  const cells = rows.map((row) => row.map(oneLine));
  const widths = header.map((_, column) => Math.max(...[header, ...cells].map((row) => widthOf(row[column] ?? ''))));
  const lineOf = (row: readonly string[]): string =>
    row
      .map((cell, column) => padTo(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [faint(lineOf(header)), ...cells.map(lineOf)];
}
