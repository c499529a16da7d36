import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The first version number that `PROGRAM --version` prints. Rejects when it cannot be run. */
export async function programVersion(program: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await promisify(execFile)(program, ['--version'], { env, timeout: 10_000 });
  return /\d+(\.\d+)+\S*/.exec(stdout)?.[0] ?? stdout.trim();
}
