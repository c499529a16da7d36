import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './node.js';

const example = fileURLToPath(new URL('../../examples/tasks-service', import.meta.url));
const sluice = fileURLToPath(new URL('sluice.js', import.meta.url));

const next = `
What to type next:
  npx sluice show        the steps of this run
  npx sluice tests       its test results
  npx sluice logs        what its steps wrote
  npx sluice artifacts   the files that it kept
  npx sluice runs        all runs
`;

/** Runs the pipeline of the example in a Git repository of its own, and answers the exit code of the run. */
async function demo(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-demo-'));
  try {
    const repository = join(folder, basename(example));
    cpSync(example, repository, { recursive: true, filter: (path) => basename(path) !== 'node_modules' });
    commitAll(repository);
    console.log(`Running the pipeline of examples/${basename(example)}, committed to a new Git repository.\n`);
    const code = await run(process.execPath, [sluice, 'run', repository, ...process.argv.slice(2)], process.env);
    if (code === 0 || code === 1) console.log(next);
    return code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Depends on no configuration of the user, who may have no name yet, or sign every commit. */
function commitAll(repository: string): void {
  const env = {
    PATH: process.env['PATH'],
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'Sluice',
    GIT_AUTHOR_EMAIL: 'sluice@localhost',
    GIT_COMMITTER_NAME: 'Sluice',
    GIT_COMMITTER_EMAIL: 'sluice@localhost',
  };
  const git = (...args: readonly string[]): unknown =>
    execFileSync('git', args, { cwd: repository, env, stdio: 'pipe' });
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('commit', '--quiet', '--message=Tasks service');
}

process.exitCode = await demo();
