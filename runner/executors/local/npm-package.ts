import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SluiceError } from '../../model/errors.ts';
import { findProgram } from './find-program.ts';
import { removeTree } from './remove-tree.ts';

export interface NpmPackage {
  readonly name: string;
  /** Exact version or range. */
  readonly version: string;
  /** Makes the unpacked package usable and checks it; what it throws is the end of the installation. */
  readonly finish: (folder: string) => Promise<void>;
}

const installMs = 300_000;

/**
 * Folder of a package from the npm registry, downloaded once per cache folder. No script of it is run. Two processes may
 * do it at once: each installs beside the final place and the first one moves in. ERR_SERVICE when it cannot be had.
 */
export async function installedPackage(
  { name, version, finish }: NpmPackage,
  cache: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const place = join(cache, `${name.replaceAll('/', '-')}-${version}`);
  const folder = join('node_modules', name);
  if (existsSync(place)) return join(place, folder);
  const draft = join(cache, `.draft-${randomUUID()}`);
  try {
    mkdirSync(draft, { recursive: true });
    await install(`${name}@${version}`, draft, env, signal);
    await finish(join(draft, folder));
    moveIn(draft, place);
  } finally {
    await removeTree(draft);
  }
  return join(place, folder);
}

async function install(
  what: string,
  prefix: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const npm = findProgram('npm', env['PATH'] ?? '');
  if (npm === undefined)
    throw new SluiceError('ERR_SERVICE', `${what} is to be installed, but there is no npm on PATH`);
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--loglevel=error', '--prefix', prefix];
  try {
    const limits = { cwd: prefix, env: { ...env, HOME: prefix }, signal, timeout: installMs };
    await promisify(execFile)(npm, ['install', ...options, what], limits);
  } catch (error) {
    throw new SluiceError('ERR_SERVICE', `npm cannot install ${what}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The line in which npm says what is wrong: between a code and the path of its log, which is removed. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  const lines = text.trim().split('\n');
  const words = lines.filter((line) => !/^npm error (code |A complete log )/.test(line));
  return (words[0] ?? lines[0] ?? '').replace(/^npm error (?=.)/, '');
}

function moveIn(draft: string, place: string): void {
  try {
    renameSync(draft, place);
  } catch (error) {
    if (!existsSync(place)) throw error; // Another process was first; its package is as good.
  }
}
