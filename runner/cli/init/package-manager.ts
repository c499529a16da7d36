import type { DraftStep } from './draft.ts';
import type { Package } from './read-package.ts';
import { isCommitted } from './repository.ts';
import type { Repository } from './repository.ts';

export interface PackageManager {
  readonly name: string;
  readonly install: string;
  /** Runs a script of package.json by name. */
  readonly run: string;
  readonly cache: NonNullable<DraftStep['cache']>;
}

interface Known extends Omit<PackageManager, 'cache'> {
  readonly locks: readonly string[];
  readonly folder: string;
}

const npm: Known = {
  name: 'npm',
  locks: ['package-lock.json', 'npm-shrinkwrap.json'],
  install: 'npm ci',
  run: 'npm run',
  folder: '~/.npm',
};

const known: readonly Known[] = [
  {
    name: 'pnpm',
    locks: ['pnpm-lock.yaml'],
    install: 'pnpm install --frozen-lockfile',
    run: 'pnpm run',
    folder: '~/.local/share/pnpm/store',
  },
  {
    name: 'yarn',
    locks: ['yarn.lock'],
    install: 'yarn install --frozen-lockfile',
    run: 'yarn run',
    folder: '~/.cache/yarn',
  },
  {
    name: 'bun',
    locks: ['bun.lock', 'bun.lockb'],
    install: 'bun install --frozen-lockfile',
    run: 'bun run',
    folder: '~/.bun/install/cache',
  },
  npm,
];

/** By the lock file that is committed, else by the name in package.json, else npm. */
export function packageManagerOf(repository: Repository, { packageManager }: Package): PackageManager {
  for (const manager of known) {
    const lock = manager.locks.find((name) => isCommitted(repository, name));
    if (lock !== undefined) return { ...withCache(manager, lock), install: installOf(manager, repository) };
  }
  const manager = known.find(({ name }) => packageManager.startsWith(`${name}@`)) ?? npm;
  // Without a lock file there is nothing that an exact installation could follow.
  return { ...withCache(manager, 'package.json'), install: `${manager.name} install` };
}

function withCache({ name, run, folder }: Known, file: string): Omit<PackageManager, 'install'> {
  return { name, run, cache: { key: `${name}-\${{ hashFiles('${file}') }}`, paths: [folder] } };
}

/** Yarn renamed the option in version 2, which brings this file. */
function installOf({ name, install }: Known, { files }: Repository): string {
  return name === 'yarn' && files.has('.yarnrc.yml') ? 'yarn install --immutable' : install;
}
