import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../../../model/errors.ts';
import type { PostgresAccount } from '../../postgres-account.ts';
import { removeTree } from '../remove-tree.ts';
import type { PostgresPrograms } from './postgres-programs.ts';
import type { ServiceSite } from './service-kind.ts';

/** Nothing has to survive a crash, and all shared memory stays in the data folder, so that nothing is left of a killed server. */
const settings = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'dynamic_shared_memory_type=mmap',
];

export const serverOptions: readonly string[] = settings.flatMap((setting) => ['-c', setting]);

/**
 * Makes a data folder with the account's role and database. `initdb` takes a second of work, always with the same result:
 * it is done once per cache and copied from then on.
 */
export async function makeData(
  programs: PostgresPrograms,
  data: string,
  account: PostgresAccount,
  site: ServiceSite,
): Promise<void> {
  await run(['/bin/cp', '-R', await template(programs, account, site), data], '', site);
  if (account.password !== undefined) askForPassword(data, site);
  const statements = statementsFor(account);
  // Single-user mode needs no client program and no server.
  const postgres = [join(programs.folder, 'postgres'), '--single', '-D', data, ...serverOptions, 'postgres'];
  if (statements !== '') await run(postgres, statements, site);
}

async function template(
  { folder, version }: PostgresPrograms,
  { user, options }: PostgresAccount,
  site: ServiceSite,
): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([folder, version, user, options, site.user?.uid]))
    .digest('hex');
  const place = join(site.cache, `postgres-data-${key.slice(0, 16)}`);
  const data = join(place, 'data');
  if (existsSync(place)) return data;
  const draft = join(site.cache, `.draft-${randomUUID()}`);
  mkdirSync(draft, { recursive: true });
  try {
    if (site.user !== undefined) chownSync(draft, site.user.uid, site.user.gid);
    const fixed = [`--username=${user}`, '--encoding=UTF8', '--no-locale', '--no-sync', '--auth=trust'];
    await run([join(folder, 'initdb'), '-D', join(draft, 'data'), ...fixed, ...options], '', site);
    renameSync(draft, place);
  } catch (error) {
    if (!existsSync(place)) throw error; // Another process was first; its folder is as good.
  } finally {
    await removeTree(draft);
  }
  return data;
}

function askForPassword(data: string, { user }: ServiceSite): void {
  const file = join(data, 'pg_hba.conf');
  writeFileSync(file, 'host all all 127.0.0.1/32 scram-sha-256\n', { mode: 0o600 });
  if (user !== undefined) chownSync(file, user.uid, user.gid);
}

/** One statement a line. The password goes through a pipe: arguments can be read by everybody. */
function statementsFor({ user, password, database }: PostgresAccount): string {
  const name = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const text = (value: string): string =>
    `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
  return [
    ...(password === undefined ? [] : [`ALTER ROLE ${name(user)} PASSWORD ${text(password)}\n`]),
    ...(database === 'postgres' ? [] : [`CREATE DATABASE ${name(database)} OWNER ${name(user)}\n`]),
  ].join('');
}

async function run([program = '', ...args]: readonly string[], input: string, site: ServiceSite): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const limits = { cwd: site.folder, env: site.env, signal: site.signal, timeout: 120_000, ...site.user };
    const child = execFile(program, args, limits, (error, stdout, stderr) => {
      // Single-user mode ends with 0 whatever became of its statements.
      if (error === null && !/^.*(ERROR|FATAL):/m.test(stderr)) resolve();
      else reject(new SluiceError('ERR_SERVICE', `${program} failed: ${(stderr || stdout).trim()}`, { cause: error }));
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
