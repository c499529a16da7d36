import type { Problem } from '../model/problem.ts';
import type { Session } from './session.ts';
import { problemLines } from './view/problem-lines.ts';

/** All problems: for people on stderr, each with its frame; for programs as `{problems: […]}`. */
export function printProblems(problems: readonly Problem[], session: Session): void {
  if (session.json) session.printJson({ problems: problems.map(problemJson) });
  else session.io.stderr.write(`${problemLines(problems, session.palette).join('\n')}\n`);
}

/** The public form of a problem: exactly these names. */
function problemJson({
  code,
  message,
  file,
  line,
  column,
  hint,
}: Problem): Required<Omit<Problem, 'frame' | 'length'>> {
  return { code, message, file, line, column, hint: hint ?? '' };
}
