/** A faulty file and the problems that it must give, in their order. */
export interface FaultyCase {
  readonly title: string;
  readonly text: string;
  readonly expected: readonly ExpectedProblem[];
}

export interface ExpectedProblem {
  readonly code: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly hint: string | undefined;
}

const marker = /^( *)(\^+) ([a-z-]+)(?:: (.+))?$/;

/**
 * Reads cases from a text: each starts with a line `=== title` and goes on with the file. A line of carets below a line
 * of the file marks where a problem is expected, its code behind them, and its hint if that matters: `^^^ code: hint`.
 */
export function faultyCases(text: string): readonly FaultyCase[] {
  const parts = text.split(/^=== /m).slice(1);
  return parts.map((part) => {
    const [title = '', ...rows] = part.trimEnd().split('\n');
    const lines: string[] = [];
    const expected: ExpectedProblem[] = [];
    for (const row of rows) {
      const [, indent = '', carets = '', code = '', hint] = marker.exec(row) ?? [];
      if (code === '') lines.push(row);
      else expected.push({ code, line: lines.length, column: indent.length + 1, length: carets.length, hint });
    }
    return { title, text: `${lines.join('\n')}\n`, expected };
  });
}
