import { createHash } from 'node:crypto';
import picomatch from 'picomatch';
import type { HashFiles } from '../expressions/cel-environment.ts';
import { patternFault } from './check-path.ts';

/** A file of the commit by its Git object id, which stands for its content. */
export interface CommitFile {
  readonly path: string;
  readonly oid: string;
}

/** Digest over the names and contents of the files that fit any of the patterns, the same in whatever order they come. */
export function hashFilesOf(files: readonly CommitFile[]): HashFiles {
  const known = new Map<string, string>();
  return (globs) => {
    const key = globs.join('\n');
    const digest = known.get(key) ?? digestOf(files, globs);
    known.set(key, digest);
    return digest;
  };
}

function digestOf(files: readonly CommitFile[], globs: readonly string[]): string {
  const fault = globs.map((glob) => patternFault(glob)).find(Boolean);
  if (fault) throw new Error(fault.message);
  const fits = picomatch([...globs], { dot: true });
  const lines = files.filter((file) => fits(file.path)).map((file) => `${file.path}\0${file.oid}\n`);
  if (lines.length === 0)
    throw new Error(`No file of the commit fits ${globs.map((glob) => `\`${glob}\``).join(' or ')}`);
  return createHash('sha256').update(lines.toSorted().join('')).digest('hex');
}
