import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { identityOf } from './process-table.ts';
import type { ProcessIdentity } from './process-table.ts';
import { markerName } from './process-tree.ts';

export interface ProcessStart {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Stands in the environment of the process and of all that it starts. */
  readonly marker: string;
  /** File descriptor for stdout and stderr. */
  readonly output: number;
  readonly user?: { readonly uid: number; readonly gid: number };
}

export type ProcessEnd = { readonly code: number } | { readonly signal: NodeJS.Signals };

export interface GatedProcess {
  readonly identity: ProcessIdentity;
  /** Lets the command begin. */
  release(): void;
  readonly ended: Promise<ProcessEnd>;
}

/**
 * Starts a command in a process group and session of its own, with an empty stdin, and holds it back until `release`.
 * The runner's death before that opens no gate: the shell reads end of file and ends without running anything.
 * Rejects with the system's error when not even the shell can be started.
 */
export async function startGated(start: ProcessStart): Promise<GatedProcess> {
  const outer = start.env[markerName];
  const child = spawn('/bin/sh', ['-c', 'read -r _ && exec "$@" < /dev/null', 'sh', ...start.argv], {
    cwd: start.cwd,
    env: { ...start.env, [markerName]: outer === undefined ? start.marker : `${outer}:${start.marker}` },
    stdio: ['pipe', start.output, start.output],
    detached: true,
    ...start.user,
  });
  const gate = child.stdin;
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve(code === null ? { signal: signal ?? 'SIGKILL' } : { code }));
  });
  await once(child, 'spawn');
  // The command may end, or be ended, without having taken its go.
  gate?.on('error', () => undefined);
  return { identity: identityOf(child.pid ?? 0), release: () => gate?.end('\n'), ended };
}
