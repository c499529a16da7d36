// @ts-check
// Plain JavaScript that Node 16 reads: `node setup.js PROGRAM ARGUMENT…` runs a program on a fit Node and with the
// packages of the lock file, both brought from npm where they are missing.
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fitEnvironment, install, isInstalled, run } from './node.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

try {
  const env = await fitEnvironment();
  if (!isInstalled(root)) await install(root, 'Installing the packages of the lock file with npm …', env);
  const [program = 'node', ...args] = process.argv.slice(2);
  const path = [env['PATH'], join(root, 'node_modules', '.bin')].join(delimiter);
  process.exitCode = await run(program, args, { ...env, PATH: path });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
