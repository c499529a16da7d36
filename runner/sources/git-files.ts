import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { SluiceError } from '../model/errors.ts';
import type { TarEntry } from '../workspace/tar-header.ts';
import { writeTar } from '../workspace/write-tar.ts';
import { BatchReader } from './batch-reader.ts';
import type { Git, GitFolders } from './git-command.ts';
import type { SourceFile } from './source.ts';

const fileLine = /^(100644|100755|120000) blob ([0-9a-f]+)\t(.+)$/s;

/** All files and links of a tree or commit, sorted by path as git does. Submodules are left out. */
export async function listFiles(git: Git, folders: GitFolders, tree: string): Promise<readonly SourceFile[]> {
  const output = await git.run(folders, ['ls-tree', '-r', '-z', '--full-tree', tree]);
  if (!isUtf8(output)) throw unreadableName(output);
  return output.toString().split('\0').flatMap(parseLine);
}

function parseLine(text: string): readonly SourceFile[] {
  const [, mode, oid, path] = fileLine.exec(text) ?? [];
  if (oid === undefined || path === undefined) return [];
  return mode === '100644' || mode === '100755' || mode === '120000' ? [{ path, oid, mode }] : [];
}

function unreadableName(output: Buffer): SluiceError {
  const lines = output.toString('latin1').split('\0');
  const line = lines.find((text) => !isUtf8(Buffer.from(text, 'latin1'))) ?? '';
  const path = Buffer.from(line.slice(line.indexOf('\t') + 1), 'latin1').toString();
  return new SluiceError('ERR_SOURCE', `The file name ${JSON.stringify(path)} is not UTF-8`, {
    hint: 'Rename the file with `git mv`; Sluice shows paths as text.',
  });
}

/** Content of a blob as text. ERR_LIMIT when it has more than `maxBytes` bytes. */
export async function readBlob(
  git: Git,
  folders: GitFolders,
  { path, oid }: SourceFile,
  maxBytes: number,
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of git.stream(folders, ['cat-file', 'blob', oid])) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(path, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function tooLarge(path: string, maxBytes: number): SluiceError {
  return new SluiceError('ERR_LIMIT', `${path} is larger than ${maxBytes} bytes`, {
    hint: 'A pipeline file calls long scripts, and other files by `uses`.',
  });
}

/** A tar of the files. One git process reads all contents. */
export function tarOf(git: Git, folders: GitFolders, files: readonly SourceFile[]): Readable {
  return writeTar(tarEntries(git, folders, files));
}

async function* tarEntries(git: Git, folders: GitFolders, files: readonly SourceFile[]): AsyncGenerator<TarEntry> {
  const input = files.map(({ oid }) => `${oid}\n`).join('');
  const output = git.stream(folders, ['cat-file', '--batch', '--buffer'], input);
  const blobs = new BatchReader(output);
  try {
    for (const { path, mode, oid } of files) {
      const bytes = await blobs.size(oid, path);
      const content = blobs.content(bytes);
      if (mode === '120000') yield { path, kind: 'symlink', target: await textOf(content) };
      else yield { path, kind: 'file', executable: mode === '100755', bytes, content };
    }
  } finally {
    await output.return(undefined);
  }
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
