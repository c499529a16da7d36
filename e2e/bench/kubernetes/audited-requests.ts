import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Does something and counts the requests that the accounts of those namespaces made meanwhile, by the audit log of the cluster of
 * e2e/cluster, which notes what runners of benchmarks read as well. Undefined on another cluster, and when a new log was begun.
 */
export async function countRequests<Result>(
  home: string | undefined,
  namespaces: readonly string[],
  act: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly requests: number | undefined }> {
  if (home === undefined) return { result: await act(), requests: undefined };
  const file = join(home, 'logs', 'audit.log');
  const start = statSync(file).size;
  const result = await act();
  await sleep(500);
  if (statSync(file).size < start) return { result, requests: undefined };
  const accounts = namespaces.map((namespace) => `"username":"system:serviceaccount:${namespace}:`);
  const ids = new Set<string | undefined>();
  for await (const line of createInterface({ input: createReadStream(file, { start }) })) {
    if (accounts.some((account) => line.includes(account))) ids.add(/"auditID":"([^"]+)"/.exec(line)?.[1]);
  }
  return { result, requests: ids.size };
}
