import type { Output } from '../session.ts';
import { fit, widthOf } from './text.ts';

/** A region at the bottom of the terminal that is drawn again and again. What is printed before it stays. */
export interface LiveScreen {
  /** How many lines can be seen at once. */
  readonly rows: number;
  readonly columns: number;
  /** Shows these lines in place of the last ones; only what changed is written. Lines beyond `rows` are left out. */
  draw(lines: readonly string[]): void;
  /** Takes the region away and gives the cursor back. Safe to call twice. */
  close(): void;
}

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';
/** Terminals that know it show the change in one go; the others ignore it. */
const beginUpdate = '\x1b[?2026h';
const endUpdate = '\x1b[?2026l';

export function openLiveScreen(output: Output): LiveScreen {
  let shown: readonly string[] = [];
  let drawnFor = columnsOf(output);
  let open = true;
  output.write(hideCursor);

  const erase = (): string => {
    // A terminal that became narrower has broken the old lines into several.
    const rows = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columnsOf(output))), 0);
    shown = [];
    return up(Math.min(rows, rowsOf(output))) + '\x1b[J';
  };

  return {
    get rows() {
      return rowsOf(output);
    },
    get columns() {
      return columnsOf(output);
    },
    draw(lines) {
      if (!open) return;
      const columns = columnsOf(output);
      const next = lines.slice(0, rowsOf(output)).map((line) => fit(line, columns));
      const start = columns === drawnFor ? '' : erase();
      drawnFor = columns;
      const change = start + difference(shown, next);
      shown = next;
      if (change !== '') output.write(beginUpdate + change + endUpdate);
    },
    close() {
      if (!open) return;
      open = false;
      output.write(erase() + showCursor);
    },
  };
}

/** What to write, with the cursor below the old lines, to see the new ones. */
function difference(old: readonly string[], next: readonly string[]): string {
  const first = next.findIndex((line, index) => line !== old[index]);
  if (first === -1 && next.length === old.length) return '';
  const from = first === -1 ? next.length : first;
  let text = up(old.length - from);
  for (let index = from; index < next.length; index++) {
    text += next[index] === old[index] ? '\n' : `${next[index] ?? ''}\x1b[K\n`;
  }
  return next.length < old.length ? `${text}\x1b[J` : text;
}

function up(lines: number): string {
  return lines > 0 ? `\x1b[${lines}A\r` : '';
}

/** One column and one row stay free: text in the last column would wrap, and the cursor stands below the last line. */
function columnsOf({ columns }: Output): number {
  return Math.max(10, (columns ?? 80) - 1);
}

function rowsOf({ rows }: Output): number {
  return Math.max(1, (rows ?? 24) - 1);
}
