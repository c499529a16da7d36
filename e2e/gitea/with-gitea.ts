/**
 * Runs a program that finds a Gitea in its environment: `node with-gitea.ts PROGRAM ARGUMENT…`. It is that of `E2E_GITEA`,
 * or else the one of this folder, which is stopped again if it was not running before.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { run } from '../../runner/launch/node.js';

const gitea = fileURLToPath(new URL('gitea', import.meta.url));

async function withGitea(program: string, args: readonly string[]): Promise<number> {
  const { E2E_GITEA, CI } = process.env;
  if (E2E_GITEA !== undefined) return run(program, args, process.env);
  const isOurs = (await run(gitea, ['status'], process.env)) !== 0;
  try {
    if ((await run(gitea, ['up'], process.env)) === 0) {
      const url = execFileSync(gitea, ['url'], { encoding: 'utf8' }).trim();
      return await run(program, args, { ...process.env, E2E_GITEA: url });
    }
    if (CI === 'true') return 1;
    console.error('Without a Gitea the tests that need one are skipped.');
    return await run(program, args, process.env);
  } finally {
    if (isOurs) await run(gitea, ['down'], process.env);
  }
}

const [program = 'true', ...args] = process.argv.slice(2);
process.exitCode = await withGitea(program, args);
