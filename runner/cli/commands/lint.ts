import { resolve } from 'node:path';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { lintFile } from '../lint-file.ts';
import { printProblems } from '../print-problems.ts';

export const defineLint: Define = (command) => {
  command.argument('[file]', 'pipeline or workflow file', 'sluice.yaml');
  return async (session) => {
    const file = command.args[0] ?? 'sluice.yaml';
    const problems = await lintFile(resolve(session.folder, file), await session.gates());
    if (problems.length > 0 || session.json) printProblems(problems, session);
    else session.print(`${session.palette.good('✓')} ${file} has no problems`);
    return problems.length > 0 ? exitCodes.usage : exitCodes.succeeded;
  };
};
