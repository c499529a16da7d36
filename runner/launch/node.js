// @ts-check
// Plain JavaScript that Node 16 reads: it finds, or brings, a Node that can run the rest.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { constants, homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the compiled code of the sources is kept. Not the shared temporary folder, which is Node's default: who can write there could plant code. */
export const compiledCode = join(homedir(), '.cache', 'sluice');

const ownNode = fileURLToPath(new URL('node', import.meta.url));

/**
 * Whether this version of Node runs Sluice: 22.19 and later.
 * @param {string} version
 */
export function isFit(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 19);
}

/** The environment in which `node` is fit: this one, or one with a Node from npm first on its path. */
export async function fitEnvironment() {
  if (isFit(process.versions.node)) return process.env;
  const folder = join(ownNode, 'node_modules', '.bin');
  if (!isInstalled(ownNode)) {
    await install(ownNode, `Node ${process.versions.node} is older than 22.19: bringing a newer one from npm …`);
  }
  if (!existsSync(join(folder, 'node'))) {
    throw new Error(`npm has no newer Node for ${process.platform} on ${process.arch}. Install Node 24 and try again.`);
  }
  return { ...process.env, PATH: [folder, process.env['PATH']].join(delimiter) };
}

/**
 * Whether `npm ci` went through in this folder since its lock file changed.
 * @param {string} folder
 */
export function isInstalled(folder) {
  const done = statSync(join(folder, 'node_modules', '.package-lock.json'), { throwIfNoEntry: false });
  return done !== undefined && done.mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs;
}

/**
 * `npm ci` in a folder. Says `message` first, and what npm says only when it fails.
 * @param {string} folder
 * @param {string} message
 */
export async function install(folder, message, env = process.env) {
  process.stderr.write(`${message}\n`);
  const flags = ['--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--no-progress'];
  const npm = spawn('npm', ['ci', '--prefix', folder, ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text));
  }
  if ((await exitCode(npm)) !== 0) throw new Error(`npm ci failed in ${folder}.\n${output}`);
}

/**
 * Runs a program in the place of this one and answers its exit code.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export async function run(program, args, env) {
  const child = spawn(program, args, { env, stdio: 'inherit' });
  process.on('SIGINT', () => {
    // A terminal sends Ctrl-C to the whole group, so the program has it already.
    if (!process.stdin.isTTY) child.kill('SIGINT');
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  return exitCode(child);
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>} 128 + n for the signal n, as shells have it
 */
function exitCode(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
    });
  });
}
