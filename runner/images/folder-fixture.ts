import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** It goes with the test. */
export function emptyFolder(t: ExecutionContext): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'sluice-images-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Contents of files by path. */
export function folderWith(t: ExecutionContext, files: Readonly<Record<string, string | Buffer>>): string {
  const folder = emptyFolder(t);
  for (const [path, content] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(folder, path)), { recursive: true });
    fs.writeFileSync(join(folder, path), content);
  }
  return folder;
}
