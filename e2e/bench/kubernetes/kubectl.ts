import { execFileSync } from 'node:child_process';

/** Runs kubectl with an object for its stdin and answers what it printed. */
export function kubectl(args: readonly string[], input?: object): string {
  const options = { encoding: 'utf8', input: input === undefined ? '' : JSON.stringify(input) } as const;
  return execFileSync('kubectl', args, options);
}
