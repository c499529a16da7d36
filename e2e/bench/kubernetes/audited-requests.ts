import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * How many requests the accounts of a namespace made while something was done, by the audit log of the cluster of
 * e2e/cluster, which notes reads as well for the accounts of the namespace `bench`. Undefined on another cluster.
 */
export async function countRequests(
  home: string | undefined,
  namespace: string,
  act: () => Promise<unknown>,
): Promise<number | undefined> {
  if (home === undefined) return undefined;
  const file = join(home, 'logs', 'audit.log');
  const from = statSync(file).size;
  await act();
  await sleep(500);
  const lines = readFileSync(file).subarray(from).toString().split('\n');
  const account = `"username":"system:serviceaccount:${namespace}:`;
  const ids = lines.filter((line) => line.includes(account)).map((line) => /"auditID":"([^"]+)"/.exec(line)?.[1]);
  return new Set(ids).size;
}
