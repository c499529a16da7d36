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

/** How many problems of a file are shown. */
export const maxShown = 100;

/** Sorted, each once, and no more than anybody reads. */
export function limitProblems(problems: readonly Problem[]): readonly Problem[] {
  const unique = new Map(
    problems.map((found) => [`${found.line}:${found.column}:${found.code}:${found.message}`, found]),
  );
  const sorted = sortProblems([...unique.values()]);
  const next = sorted[maxShown];
  if (next === undefined) return sorted;
  const message = `The file has more than ${maxShown} problems.`;
  const last = { ...next, code: 'too-many-problems', message, hint: 'Mend the first ones, then look again.' };
  return [...sorted.slice(0, maxShown), last];
}
