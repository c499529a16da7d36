import { execFile } from 'node:child_process';
import { glob } from 'node:fs/promises';
import { promisify } from 'node:util';
import { ok } from './check.ts';
import type { Check } from './check.ts';

interface Program {
  readonly name: string;
  readonly arguments: readonly string[];
  /** Where else than on the PATH it may be, or what else will do. */
  readonly otherwise?: string;
  readonly missing: Check['status'];
  readonly hint: string;
}

const programs: readonly Program[] = [
  { name: 'git', arguments: ['--version'], missing: 'failed', hint: 'Install git.' },
  { name: 'sh', arguments: ['-c', 'echo "sh works"'], missing: 'failed', hint: 'Install a POSIX shell.' },
  { name: 'bash', arguments: ['--version'], missing: 'warning', hint: 'Install bash for steps with `shell: bash`.' },
  {
    name: 'postgres',
    arguments: ['--version'],
    otherwise: '/usr/lib/postgresql/*/bin/postgres',
    missing: 'warning',
    hint: 'Steps with a postgres service download PostgreSQL from npm, once; install it to do without.',
  },
  {
    name: 'redis-server',
    arguments: ['--version'],
    otherwise: 'valkey-server',
    missing: 'warning',
    hint: 'Install Redis for steps with a redis service (Debian: apt install redis-server).',
  },
];

const timeoutMs = 5_000;

export function findPrograms(): Promise<readonly Check[]> {
  return Promise.all(programs.map(checkProgram));
}

async function checkProgram(program: Program): Promise<Check> {
  const { name, missing, hint } = program;
  for await (const path of candidates(program)) {
    const says = await firstLine(path, program.arguments);
    if (says !== undefined) return ok(name, says);
  }
  return { name, status: missing, message: 'not found', hint };
}

async function* candidates({ name, otherwise }: Program): AsyncIterable<string> {
  yield name;
  if (otherwise?.includes('/')) yield* glob(otherwise);
  else if (otherwise !== undefined) yield otherwise;
}

/** Undefined when the program is not there or does not answer. */
async function firstLine(path: string, words: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, words, { timeout: timeoutMs });
    return stdout.split('\n', 1)[0] ?? '';
  } catch {
    return undefined;
  }
}
