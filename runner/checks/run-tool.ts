import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../model/errors.ts';

/** Programs of others that checks are made with, and the versions that the image `api-tests` has. */
export const tools = { newman: '6.2.2', httpyac: '6.16.7', autocannon: '9.0.0' } as const;

export type Tool = keyof typeof tools;

/** Where a check works. */
export interface CheckPlace {
  /** Absolute; patterns and reports are relative to it. */
  readonly folder: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface ToolEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const mostBytes = 64 * 1024 ** 2;

/**
 * Runs a tool to its end: the one that the repository brings in `node_modules`, else that of the machine. Nothing is ever downloaded.
 * ERR_SERVICE when it is not there or was ended by a signal, ERR_ABORTED.
 */
export function runTool(tool: Tool, args: readonly string[], { folder, signal }: CheckPlace): Promise<ToolEnd> {
  const own = join(folder, 'node_modules/.bin', tool);
  const options = { cwd: folder, signal, maxBuffer: mostBytes };
  return new Promise((resolve, reject) => {
    execFile(existsSync(own) ? own : tool, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stdout, stderr });
      else if (signal.aborted) reject(new SluiceError('ERR_ABORTED', `${tool} was ended`, { cause: error }));
      else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr });
      else reject(error.code === 'ENOENT' ? notThere(tool) : endedOtherwise(tool, error));
    });
  });
}

function notThere(tool: Tool): SluiceError {
  const what = `${tool}@${tools[tool]}`;
  return new SluiceError('ERR_SERVICE', `the program "${tool}" is not on this machine`, {
    hint: `Install it with \`npm install --global ${what}\`, or give it to the repository; on Kubernetes the image api-tests has it.`,
  });
}

function endedOtherwise(tool: Tool, cause: Error): SluiceError {
  return new SluiceError('ERR_SERVICE', `${tool} was ended before its time: ${cause.message}`, { cause });
}
