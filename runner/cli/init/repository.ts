import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SluiceError } from '../../model/errors.ts';
import { filesBelow } from '../repository-files.ts';

/** What `init` looks at: the names of all files, and the text of those that describe the project. */
export interface Repository {
  /** Name of the folder. */
  readonly name: string;
  readonly files: ReadonlySet<string>;
  readonly texts: ReadonlyMap<string, string>;
}

const described =
  /^(package\.json|\.npmrc|\.nvmrc|\.node-version|\.gitignore|pyproject\.toml|setup\.(py|cfg)|tox\.ini|\.python-version|[\w./-]*requirements[\w./-]*\.txt|go\.mod|Makefile|(docker-)?compose[\w.-]*\.ya?ml|\.github\/workflows\/[^/]+\.ya?ml)$/;
const longestText = 1_000_000;

/** ERR_USAGE when it is no folder that can be read. */
export async function readRepository(root: string): Promise<Repository> {
  await readdir(root).catch((cause: unknown) => {
    throw new SluiceError('ERR_USAGE', `${root} is no folder that can be read`, {
      hint: 'Name the folder of a repository.',
      cause,
    });
  });
  const files = new Set((await filesBelow(root)).map(({ path }) => path));
  const texts = new Map<string, string>();
  for (const path of files) {
    if (!described.test(path)) continue;
    const text = await readFile(join(root, path), 'utf8');
    if (text.length <= longestText) texts.set(path, text);
  }
  return { name: basename(root), files, texts };
}

/** Whether the file is there and will be part of commits, as far as the root's ignore file says. */
export function isCommitted({ files, texts }: Repository, path: string): boolean {
  const ignored = (texts.get('.gitignore') ?? '').split('\n').map((line) => line.trim().replace(/^\//, ''));
  return files.has(path) && !ignored.includes(path);
}
