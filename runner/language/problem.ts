import type { Location, Problem } from '../model/problem.ts';
import { codeFrame } from './code-frame.ts';
import type { SourceText } from './positioned.ts';
import type { ProblemCode } from './problem-codes.ts';

/** A problem at a place of a file, with the frame that shows it. `hint` is the next step. */
export function problem(source: SourceText, at: Location, code: ProblemCode, message: string, hint?: string): Problem {
  return { code, message, ...at, ...(hint !== undefined && { hint }), frame: codeFrame(source.lines, at) };
}

/** By file and place; problems at one place keep their order. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted(
    (a, b) => Number(a.file > b.file) - Number(a.file < b.file) || a.line - b.line || a.column - b.column,
  );
}

const shown = 100;

/** Sorted, and no more than anybody reads. */
export function limitProblems(problems: readonly Problem[]): readonly Problem[] {
  const sorted = sortProblems(problems);
  const next = sorted[shown];
  if (next === undefined) return sorted;
  const message = `${sorted.length - shown} more problems are not shown.`;
  return [
    ...sorted.slice(0, shown),
    { ...next, code: 'too-many-problems', message, hint: 'Mend the first ones, then look again.' },
  ];
}
