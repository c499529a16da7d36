import { SluiceError } from '../model/errors.ts';

/**
 * The relative path that an archive member's name stands for, without `.` and empty parts; '' for the folder itself.
 * ERR_WORKSPACE for a name that leaves the folder or that a file system cannot hold.
 */
export function memberPath(name: string): string {
  if (name.startsWith('/')) throw refusal(name, 'has an absolute name');
  if (name.length > 4_096) throw refusal(name, 'has a name that is too long');
  if (name.includes('\0')) throw refusal(name, 'has a NUL character in its name');
  if (name.includes('\uFFFD')) throw refusal(name, 'has a name that is not UTF-8');
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refusal(name, 'has a name with ".."');
  return parts.join('/');
}

/**
 * Refuses a link at `path` whose target may lie outside of the folder.
 *
 * `..` is taken at the front of a target only: there it leads up real folders, since no member is written through a
 * link. Behind a name it would lead up from wherever another link points to.
 */
export function checkLink(path: string, target: string): void {
  if (target === '' || target.includes('\0') || target.includes('\uFFFD'))
    throw refusal(path, 'is a link without a usable target');
  if (target.startsWith('/')) throw refusal(path, `is a link to the absolute path ${JSON.stringify(target)}`);
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const ups = parts.findIndex((part) => part !== '..');
  const climb = ups === -1 ? parts.length : ups;
  if (climb > path.split('/').length - 1 || parts.includes('..', climb)) {
    throw refusal(path, `is a link to ${JSON.stringify(target)}, which leaves the folder`);
  }
}

export function refusal(name: string, what: string): SluiceError {
  return new SluiceError('ERR_WORKSPACE', `Archive member ${JSON.stringify(name.slice(0, 200))} ${what}`);
}
