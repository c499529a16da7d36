import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from './make-folder.ts';
import { hasCode } from './system-error.ts';

/** Tells this data folder from every other one, in places that several installations share; made once, kept for good. */
export async function installationId(folder: string): Promise<string> {
  const path = join(folder, 'installation-id');
  await makeFolder(folder);
  try {
    await writeFile(path, randomBytes(8).toString('hex'), { flag: 'wx', flush: true });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}
