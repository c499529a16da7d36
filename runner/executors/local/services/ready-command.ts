import { execFile } from 'node:child_process';
import type { ServiceSite } from './service-kind.ts';

const commandMs = 10_000;
const notFound = 127;

/**
 * Whether the `ready` command of a pipeline file ends with 0. One that this machine does not have counts as passed: it was
 * written for the image, and the service has already answered in its own protocol.
 */
export async function runReadyCommand(
  command: string,
  clientEnv: Readonly<Record<string, string>>,
  { folder, env, signal, user }: ServiceSite,
): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env: { ...env, ...clientEnv }, signal, timeout: commandMs, ...user };
    execFile('/bin/sh', ['-c', command], options, (error) => resolve(error === null || error.code === notFound));
  });
}
