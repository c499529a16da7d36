/**
 * Runs a program that finds a cluster and the images in its environment: `node with-cluster.ts PROGRAM ARGUMENT…`.
 * The cluster is that of `KUBECONFIG`, or else the one of this folder, which is stopped again if it was not running before.
 */
import { execFile, execFileSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { run } from '../../runner/launch/node.js';

const cluster = fileURLToPath(new URL('cluster', import.meta.url));
const images = fileURLToPath(new URL('images', import.meta.url));

async function withCluster(program: string, args: readonly string[]): Promise<number> {
  const { KUBECONFIG, CI } = process.env;
  if (KUBECONFIG !== undefined && KUBECONFIG !== '') return run(program, args, await withImages(process.env));
  const isOurs = (await run(cluster, ['status'], process.env)) !== 0;
  if (isOurs && CI === 'true') await run(cluster, ['reset'], process.env);
  try {
    if ((await run(cluster, ['up'], process.env)) === 0)
      return await run(program, args, await withImages(ownCluster()));
    if (CI === 'true') return 1;
    console.error('Without a cluster the tests that need one are skipped (docs/kubernetes.md, "A cluster for tests").');
    return await run(program, args, process.env);
  } finally {
    if (isOurs) await run(cluster, ['down'], process.env);
  }
}

/** `E2E_CLUSTER_HOME` tells tests that the cluster is this one, whose components and audit log they may touch. */
function ownCluster(): NodeJS.ProcessEnv {
  const home = execFileSync(cluster, ['home'], { encoding: 'utf8' }).trim();
  const kubeconfig = execFileSync(cluster, ['kubeconfig'], { encoding: 'utf8' }).trim();
  const path = [join(home, 'bin'), process.env['PATH']].join(delimiter);
  return { ...process.env, KUBECONFIG: kubeconfig, E2E_CLUSTER_HOME: home, PATH: path };
}

/** `E2E_IMAGES` is a JSON object of image references by name; whoever sets it has built them. */
async function withImages(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  if (env['E2E_IMAGES'] !== undefined) return env;
  const built = promisify(execFile)(images, [], { env });
  built.child.stderr?.pipe(process.stderr);
  const lines = (await built).stdout.trim().split('\n');
  return { ...env, E2E_IMAGES: JSON.stringify(Object.fromEntries(lines.map((line) => line.split(' ')))) };
}

const [program = 'true', ...args] = process.argv.slice(2);
try {
  process.exitCode = await withCluster(program, args);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
