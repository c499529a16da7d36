import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { AttemptKey } from '../../model/result.ts';

export interface LogPath {
  readonly folder: string;
  /** Masked bytes, nothing else. */
  readonly bytes: string;
  /** When which byte arrived. */
  readonly times: string;
  /** Up to where in the raw output the masked bytes reach. */
  readonly raw: string;
}

/** Where the log of an attempt lies. Any step id gives one file name of its own, on every file system. */
export function logPath(root: string, { runId, step, attempt }: AttemptKey): LogPath {
  const folder = join(root, fileName(runId));
  const path = join(folder, `${fileName(step)}.${attempt}`);
  return { folder, bytes: `${path}.log`, times: `${path}.times`, raw: `${path}.raw` };
}

/** Plain names stay; others become readable ones with a digest, which no plain name can equal. */
function fileName(name: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/.test(name)) return name;
  const readable = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40);
  return `${readable}~${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}
