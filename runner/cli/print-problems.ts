import { renderProblems } from '../language/render-problems.ts';
import { publicProblem } from '../model/problem.ts';
import type { Problem } from '../model/problem.ts';
import type { Session } from './session.ts';
import { harmless } from './terminal/text.ts';

/** The same as text for people, each with its frame. */
export function problemText(problems: readonly Problem[], color: boolean): string {
  return renderProblems(problems.map(showable), { color });
}

/** All problems: for people on stderr, each with its frame; for programs as `{problems: […]}`. */
export function printProblems(
  problems: readonly Problem[],
  { json, io, color }: Pick<Session, 'json' | 'io' | 'color'>,
): void {
  if (json) io.stdout.write(`${JSON.stringify({ problems: problems.map(publicProblem) })}\n`);
  else io.stderr.write(`${problemText(problems, color)}\n`);
}

/** A file may hold anything; a terminal shows it as text. */
function showable(problem: Problem): Problem {
  const { file, message, frame, hint } = problem;
  return {
    ...problem,
    file: plainText(file),
    message: plainText(message),
    ...(frame === undefined ? {} : { frame: plainText(frame) }),
    ...(hint === undefined ? {} : { hint: plainText(hint) }),
  };
}

function plainText(text: string): string {
  return text
    .split('\n')
    .map((line) => harmless(line, false))
    .join('\n');
}
