import { access, readdir } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

/** The folder with `.git` at or above this one. */
export async function repositoryRoot(folder: string): Promise<string | undefined> {
  const found = await access(join(folder, '.git')).then(
    () => true,
    () => false,
  );
  if (found) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : repositoryRoot(parent);
}

/** Never part of a commit, and large. */
const leftOut = new Set(['.git', 'node_modules']);
const mostFiles = 20_000;

/** Names of the files below a folder, for patterns to find. Their contents do not matter, so that no digest is made. */
export async function filesBelow(root: string): Promise<readonly { readonly path: string; readonly oid: string }[]> {
  const files: { path: string; oid: string }[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined && files.length < mostFiles; folder = folders.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !leftOut.has(entry.name)) folders.push(path);
      if (entry.isFile()) files.push({ path: relative(root, path).split(sep).join('/'), oid: '' });
    }
  }
  return files;
}
