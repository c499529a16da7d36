import { copyFile, mkdir, readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repository } from './find-repository.ts';
import type { Git } from './git-command.ts';
import type { GitSetting } from './git-settings.ts';

/**
 * Writes the working tree, with uncommitted and untracked but without ignored files, as a tree object and answers its id.
 *
 * Git works in `shadow`, an empty folder that becomes a repository of its own: it sees the objects and a copy of the
 * index of the real one, but not its configuration, so that no filter or hook of it can start. New objects stay there.
 */
export async function writeWorkingTree(
  git: Git,
  repository: Repository,
  settings: readonly GitSetting[],
  shadow: string,
): Promise<string> {
  await makeShadow(repository, settings, shadow);
  const folders = { gitFolder: shadow, workTree: repository.root };
  await git.run(folders, ['add', '--all']);
  return (await git.run(folders, ['write-tree'])).toString().trim();
}

async function makeShadow(repository: Repository, settings: readonly GitSetting[], shadow: string): Promise<void> {
  const { commonFolder } = repository;
  for (const folder of ['objects/info', 'refs', 'info']) await mkdir(join(shadow, folder), { recursive: true });
  const attributes = await textOf(join(commonFolder, 'info/attributes'));
  await Promise.all([
    writeFile(join(shadow, 'HEAD'), 'ref: refs/heads/none\n'),
    writeFile(join(shadow, 'config'), settings.map(configLines).join('')),
    writeFile(join(shadow, 'objects/info/alternates'), `${join(commonFolder, 'objects')}\n`),
    writeFile(join(shadow, 'info/attributes'), `${attributes}\n* -filter\n`),
    writeFile(join(shadow, 'info/exclude'), await textOf(join(commonFolder, 'info/exclude'))),
    copyIndex(repository.gitFolder, shadow),
  ]);
}

/** With its time, or an earlier one: git compares files that are as young as the index by content. */
async function copyIndex(from: string, to: string): Promise<void> {
  const names = (await readdir(from)).filter((name) => name === 'index' || name.startsWith('sharedindex.'));
  for (const name of names) {
    const { atimeMs, mtimeMs } = await stat(join(from, name));
    await copyFile(join(from, name), join(to, name));
    await utimes(join(to, name), Math.floor(atimeMs) / 1_000, Math.floor(mtimeMs) / 1_000);
  }
}

function configLines({ section, name, value }: GitSetting): string {
  return `[${section}]\n\t${name} = ${JSON.stringify(value)}\n`;
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
