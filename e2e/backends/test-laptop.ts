import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { databaseFolder } from '../../runner/environments/local/database-folder.ts';
import { copyPackage } from './copy-package.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const launcher = join(root, 'runner/launch/sluice.js');
export interface Report {
  readonly outcome: string;
  readonly steps: readonly { readonly id: string; readonly outcome: string; readonly message?: string }[];
}

export interface Listed {
  readonly running: boolean;
  readonly environments: readonly {
    readonly environment: string;
    readonly name: string;
    readonly routed?: string;
    readonly releases: readonly { readonly release: string; readonly state: string }[];
  }[];
}

export interface Laptop {
  readonly repository: string;
  git(...args: readonly string[]): Promise<unknown>;
  sluice(...args: readonly string[]): Promise<string>;
  /** Changes files, commits, and runs the pipeline to its end. */
  push(changes: Readonly<Record<string, string>>): Promise<Report>;
  /** Asks an environment by the name that people know. */
  ask(environment: 'testing' | 'production', path: string): Promise<string>;
}

export interface LaptopOptions {
  /** Default `node`, which has a database. */
  readonly app?: 'node' | 'python';
  /** Folders with programs of this machine, before others. */
  readonly programs?: readonly string[];
}

/** A machine with a Git repository and no cluster. */
export function openLaptop(t: ExecutionContext, { app = 'node', programs = [] }: LaptopOptions = {}): Laptop {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-laptop-'));
  const repository = join(folder, 'tasks');
  const home = join(folder, 'home');
  const { PATH = '', NODE_EXTRA_CA_CERTS } = process.env;
  const env = {
    PATH: [...programs, PATH].join(delimiter),
    HOME: folder,
    SLUICE_HOME: home,
    NO_COLOR: '1',
    ...(NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS }),
  };
  cpSync(join(root, 'e2e/backends/apps', app), repository, { recursive: true });
  if (app === 'node') copyPackage('pg', join(repository, 'node_modules'));
  const run = async (program: string, args: readonly string[]): Promise<string> => {
    const options = { cwd: repository, env, maxBuffer: 2 ** 26 };
    return new Promise((resolve) => execFile(program, args, options, (_, stdout) => resolve(stdout)));
  };
  const sluice = (...args: readonly string[]): Promise<string> => run(process.execPath, [launcher, ...args]);
  const identity = ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com'];
  const git = (...args: readonly string[]) => promisify(execFile)('git', [...identity, ...args], { cwd: repository });
  const listed = async (): Promise<Listed> => JSON.parse(await sluice('environments', 'list', '--json')) as Listed;
  t.teardown(async () => {
    await sluice('environments', 'stop');
    rmSync(databaseFolder(join(home, 'environments')), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    repository,
    git,
    sluice,
    push: async (changes) => {
      for (const [file, content] of Object.entries(changes)) {
        mkdirSync(dirname(join(repository, file)), { recursive: true });
        writeFileSync(join(repository, file), content);
      }
      await git('add', '--all', '--force', '.');
      await git('commit', '-q', '-m', 'a change');
      await sluice('run', '--json');
      return JSON.parse(await sluice('show', 'latest', '--json')) as Report;
    },
    ask: async (environment, path) => {
      const found = (await listed()).environments.find((each) => each.environment === environment);
      return askByName(new URL(path, found?.name));
    },
  };
}

/** As a browser does it, which knows that names under `localhost` are this machine. */
async function askByName({ port, host, pathname }: URL): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = request({ host: '127.0.0.1', port, path: pathname, headers: { host } }, (answer) => {
    text(answer).then((body) => resolve(`${answer.headers['sluice-release'] as string} ${body}`), reject);
  });
  asked.once('error', reject);
  asked.end();
  return promise;
}

export const verdicts = ({ steps }: Report): string =>
  steps.map(({ id, outcome, message = '' }) => `${id} ${outcome} ${message}`).join('\n');
