import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RunCommand } from '../../runner/migrations/apply/command.ts';

/** A real program as the user's command, with nothing but PATH and the variables of the database in its environment. */
export function command(program: string, ...args: readonly string[]): RunCommand {
  return async ({ env, signal }) => {
    const child = spawn(program, args, {
      env: { PATH: process.env['PATH'] ?? '', HOME: '/tmp', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stop = () => child.kill('SIGTERM');
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    signal.removeEventListener('abort', stop);
    return { exitCode: code ?? 143, output };
  };
}

/** `psql` with some statements, each in a transaction of its own. */
export function psql(...statements: readonly string[]): RunCommand {
  return command('psql', '-X', '-v', 'ON_ERROR_STOP=1', ...statements.flatMap((statement) => ['-c', statement]));
}

/** A program in JavaScript that has `client`, connected by `DATABASE_URL` with the `pg` of this project. */
export function nodeProgram(body: string): RunCommand {
  const pg = import.meta.resolve('pg');
  const text = `import pg from '${pg}'; const client = new pg.Client(process.env.DATABASE_URL); await client.connect(); ${body}; await client.end();`;
  return command(process.execPath, '--input-type=module', '-e', text);
}
