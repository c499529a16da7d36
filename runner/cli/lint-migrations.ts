import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { codeFrame } from '../language/code-frame.ts';
import { classifyScripts } from '../migrations/classify/classify.ts';
import type { Classification, ClassifyOptions, Script } from '../migrations/classify/classify.ts';
import { detectTool } from '../migrations/tools/detect-tool.ts';
import { SluiceError } from '../model/errors.ts';

/** SQL files of one release, each with its class and its problems, which have frames. Without `files`, all of the repository's tool. */
export async function lintMigrations(
  folder: string,
  files: readonly string[],
  options: ClassifyOptions & { readonly tool?: string },
): Promise<readonly Classification[]> {
  const found = files.length > 0 ? { files, transactional: true } : await migrationFiles(folder, options.tool);
  const scripts: Script[] = [];
  for (const file of found.files) scripts.push({ file, sql: await readScript(folder, file) });
  const results = await classifyScripts(scripts, { transactional: found.transactional, ...options });
  return results.map((result, index) => withFrames(result, scripts[index]?.sql ?? ''));
}

async function migrationFiles(folder: string, wanted: string | undefined) {
  const detected = await detectTool(folder, wanted === undefined ? {} : { wanted });
  const files = detected === undefined ? [] : await detected.tool.files(detected.site);
  const scripts = files.map(({ path }) => path).filter((path) => path.endsWith('.sql'));
  if (detected !== undefined && scripts.length > 0)
    return { files: scripts, transactional: detected.tool.transactional };
  const what =
    detected === undefined ? 'no migrations were found' : `the migrations of ${detected.tool.name} are no SQL`;
  throw new SluiceError('ERR_USAGE', `${what} in ${folder}`, {
    hint: 'Name SQL files; what a tool writes itself is judged when it is tried on a copy of the schema.',
  });
}

async function readScript(folder: string, file: string): Promise<string> {
  return readFile(resolve(folder, file), 'utf8').catch((cause: unknown) => {
    throw new SluiceError('ERR_USAGE', `cannot read ${file}`, { hint: 'Name SQL files of migrations.', cause });
  });
}

function withFrames(result: Classification, sql: string): Classification {
  const lines = sql.split(/\r?\n/);
  return { ...result, problems: result.problems.map((problem) => ({ ...problem, frame: codeFrame(lines, problem) })) };
}
