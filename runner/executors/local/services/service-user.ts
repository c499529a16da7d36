import { chownSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { SluiceError } from '../../../model/errors.ts';

export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Servers such as PostgreSQL refuse to run as root: then it is `nobody`, else the runner's own user. */
export function serviceUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? [];
  if (uid === undefined)
    throw new SluiceError('ERR_SERVICE', 'services do not run as root, and there is no user "nobody"');
  return { uid: Number(uid), gid: Number(gid) };
}

/** A fresh folder that the user can write to: beside the attempt's files, or in the system's folder for another user. */
export function dataFolder(root: string, name: string, user: User | undefined): string {
  if (user === undefined) {
    const folder = join(root, name);
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-service-'));
  chownSync(folder, user.uid, user.gid);
  return folder;
}

/** The cache of programs, or for another user who cannot get there a folder of the system that only root writes to. */
export function reachableCache(cache: string, user: User | undefined): string {
  mkdirSync(cache, { recursive: true });
  if (user === undefined || isOpen(cache)) return cache;
  const folder = join(tmpdir(), 'sluice-tools');
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== 0 || (stat.mode & 0o022) !== 0) {
    throw new SluiceError('ERR_SERVICE', `${folder} belongs to somebody else; remove it`);
  }
  return folder;
}

/** Whether everybody may pass through all folders of a path. */
function isOpen(path: string): boolean {
  const parent = dirname(path);
  return (statSync(path).mode & 0o001) !== 0 && (parent === path || isOpen(parent));
}
