import { glob } from 'node:fs/promises';
import { SluiceError } from '../model/errors.ts';

/** Files below a folder by patterns with spaces between them, sorted; paths are relative. ERR_GATE for a pattern that matches nothing. */
export async function findInputs(patterns: string, folder: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const pattern of patterns.split(/\s+/).filter((each) => each !== '')) {
    const files = await Array.fromAsync(glob(pattern, { cwd: folder, exclude: (name) => name === 'node_modules' }));
    if (files.length === 0) {
      throw new SluiceError('ERR_GATE', `no file matches ${pattern}`, {
        hint: 'Patterns are relative to the folder that the step starts in, and stand with spaces between them.',
      });
    }
    for (const file of files) found.add(file);
  }
  return [...found].toSorted();
}
