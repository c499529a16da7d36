// Plain JavaScript that Node 16 reads: it finds, or brings, a Node that can run the rest.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ownNode = fileURLToPath(new URL('node', import.meta.url));

/** Whether this version of Node runs Sluice: 22.19 and later. */
export function isFit(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 19);
}

/** The environment in which `node` is fit: this one, or one with a Node from npm first on its path. */
export async function fitEnvironment() {
  if (isFit(process.versions.node)) return process.env;
  const folder = join(ownNode, 'node_modules', '.bin');
  if (!isInstalled(ownNode)) {
    await install(
      ownNode,
      `Node ${process.versions.node} is too old for Sluice (22.19): bringing a newer one from npm …`,
    );
  }
  if (!existsSync(join(folder, 'node'))) {
    throw new Error(`npm has no newer Node for ${process.platform} ${process.arch}; install Node 24 and try again.`);
  }
  return { ...process.env, PATH: [folder, process.env.PATH].join(delimiter) };
}

/** Whether `npm ci` went through in this folder since its lock file changed. */
export function isInstalled(folder) {
  const done = statSync(join(folder, 'node_modules', '.package-lock.json'), { throwIfNoEntry: false });
  return done !== undefined && done.mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs;
}

/** `npm ci` in a folder. Says `message` first, and what npm says only when it fails. */
export async function install(folder, message, env = process.env) {
  process.stderr.write(`${message}\n`);
  const args = [
    'ci',
    '--prefix',
    folder,
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--no-progress',
  ];
  const output = [];
  const npm = spawn('npm', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  npm.stdout.on('data', (chunk) => output.push(chunk));
  npm.stderr.on('data', (chunk) => output.push(chunk));
  if ((await ended(npm)) === 0) return;
  throw new Error(`npm ci failed in ${folder}.\n${Buffer.concat(output).toString()}`);
}

/** Runs a program in the place of this one and answers its exit code. */
export async function run(program, args, env) {
  const child = spawn(program, args, { env, stdio: 'inherit' });
  // A terminal sends Ctrl-C to the whole group, so the program has it already.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return ended(child);
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code === null ? 128 + constants.signals[signal] : code));
  });
}
