import { execFile } from 'node:child_process';
import { SluiceError } from '../../model/errors.ts';
import { libpqVariables } from './client-variables.ts';

export interface ProgramRun {
  /** pg_dump, pg_restore or psql. */
  readonly program: string;
  readonly args: readonly string[];
  /** The database; it is told by variables, as arguments can be read by everybody. */
  readonly url: string;
  /** Where programs are looked for, as PATH has it. They must not be older than the server. */
  readonly path: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

export type ProgramEnd = { readonly ok: true } | { readonly ok: false; readonly message: string };

const longestMs = 1_800_000;

/** Runs a client program of PostgreSQL; what it says when it fails is the outcome. ERR_SERVICE when it is not there, ERR_ABORTED. */
export function runProgram({
  program,
  args,
  url,
  path,
  signal,
  timeoutMs = longestMs,
}: ProgramRun): Promise<ProgramEnd> {
  const env = { PATH: path, LC_ALL: 'C', PGCONNECT_TIMEOUT: '10', ...libpqVariables(url) };
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { env, signal, timeout: timeoutMs, maxBuffer: 16 * 1024 ** 2 },
      (error, _stdout, stderr) => {
        if (error === null) resolve({ ok: true });
        else if (signal.aborted) reject(new SluiceError('ERR_ABORTED', `${program} was cancelled.`, { cause: error }));
        else if (error.code === 'ENOENT') reject(notThere(program, error));
        else
          resolve({
            ok: false,
            message: stderr.trim().split('\n').slice(-5).join('\n') || `${program}: ${error.message}`,
          });
      },
    );
  });
}

function notThere(program: string, cause: unknown): SluiceError {
  return new SluiceError('ERR_SERVICE', `${program} is not on this machine.`, {
    hint: 'Install the client programs of PostgreSQL, for example with "apt-get install postgresql-client".',
    cause,
  });
}
