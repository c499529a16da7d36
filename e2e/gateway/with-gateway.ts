/**
 * Runs a program that finds a gateway in its environment: `node with-gateway.ts PROGRAM ARGUMENT…`. It is that of `E2E_GATEWAY`, or else, on the cluster of
 * `KUBECONFIG`, the one of this folder, which is stopped again if it was not running before.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { run } from '../../runner/launch/node.js';

const gateway = fileURLToPath(new URL('gateway', import.meta.url));

async function withGateway(program: string, args: readonly string[]): Promise<number> {
  const { E2E_GATEWAY, E2E_CLUSTER_HOME, CI } = process.env;
  // Pods of another cluster do not find this machine under the name of the gateway.
  if (E2E_GATEWAY !== undefined || E2E_CLUSTER_HOME === undefined) return run(program, args, process.env);
  const isOurs = (await run(gateway, ['status'], process.env)) !== 0;
  try {
    if ((await run(gateway, ['up'], process.env)) === 0) {
      const url = execFileSync(gateway, ['url'], { encoding: 'utf8' }).trim();
      return await run(program, args, { ...process.env, E2E_GATEWAY: url });
    }
    if (CI === 'true') return 1;
    console.error('Without a gateway the tests that need one are skipped.');
    return await run(program, args, process.env);
  } finally {
    if (isOurs) await run(gateway, ['down'], process.env);
  }
}

const [program = 'true', ...args] = process.argv.slice(2);
process.exitCode = await withGateway(program, args);
