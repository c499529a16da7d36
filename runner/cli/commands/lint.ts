import { access } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { lintFile } from '../lint-file.ts';
import { printProblems } from '../print-problems.ts';
import { repositoryRoot } from '../repository-files.ts';

const usualFile = 'sluice.yaml';

export const defineLint: Define = (command) => {
  command.argument('[file]', 'pipeline or workflow file', usualFile);
  return async (session) => {
    const file = command.args[0] ?? (await fileOf(session.folder));
    const problems = await lintFile(resolve(session.folder, file), await session.gates());
    if (problems.length > 0 || session.json) printProblems(problems, session);
    else session.print(`${session.palette.good('✓')} ${file} has no problems`);
    return problems.length > 0 ? exitCodes.usage : exitCodes.succeeded;
  };
};

/** The file of this folder, else that of the repository around it, as `run` takes it. */
async function fileOf(folder: string): Promise<string> {
  const isHere = await access(join(folder, usualFile)).then(
    () => true,
    () => false,
  );
  const root = isHere ? undefined : await repositoryRoot(folder);
  return root === undefined ? usualFile : relative(folder, join(root, usualFile));
}
