/**
 * Runs a program beside the peers of this folder: `node with-peers.ts PROGRAM ARGUMENT…`. On the cluster of `KUBECONFIG` each
 * that is not up is brought up, and stopped again; what cannot be brought up is missing.
 */
import { fileURLToPath } from 'node:url';
import { run } from '../../runner/launch/node.js';

const peers = fileURLToPath(new URL('peers', import.meta.url));

async function withPeers(program: string, args: readonly string[]): Promise<number> {
  if (process.env['KUBECONFIG'] === undefined) return run(program, args, process.env);
  const ours: string[] = [];
  try {
    for (const name of ['tekton', 'argo']) {
      if ((await run(peers, ['status', name], process.env)) === 0) continue;
      ours.push(name);
      await run(peers, ['up', name], process.env);
    }
    return await run(program, args, process.env);
  } finally {
    if (ours.length > 0) await run(peers, ['down', ...ours], process.env);
  }
}

const [program = 'true', ...args] = process.argv.slice(2);
process.exitCode = await withPeers(program, args);
