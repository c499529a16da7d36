import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Json } from '../../model/json.ts';
import type { AttemptSpec } from '../executor.ts';

/** Begins an attempt on a local executor in a process of its own, kills that at the first output, and answers the place. */
export async function loseAttempt(
  folder: string,
  baseEnv: Readonly<Record<string, string>>,
  spec: AttemptSpec,
): Promise<Readonly<Record<string, Json>>> {
  const program = fileURLToPath(new URL('lost-runner.ts', import.meta.url));
  const runner = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  runner.stdin.end(JSON.stringify({ folder, baseEnv, spec }));
  const [place] = (await once(runner.stdout, 'data')) as [Buffer];
  const ended = once(runner, 'exit');
  runner.kill('SIGKILL');
  await ended;
  return JSON.parse(place.toString()) as Readonly<Record<string, Json>>;
}
