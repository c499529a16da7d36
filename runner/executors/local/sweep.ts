import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readJournal } from './attempt-folder.ts';
import { isDiscarded } from './discard-folder.ts';
import { isRunning } from './process-table.ts';
import { removeAttempt } from './remove-attempt.ts';
import { removeTree } from './remove-tree.ts';

/** Removes what runners left in a work folder that ended without cleaning up, processes of their attempts included. */
export async function sweep(attempts: string): Promise<void> {
  for (const name of await list(attempts)) {
    const root = join(attempts, name);
    if (isDiscarded(name)) await removeTree(root);
    const journal = readJournal(root);
    if (journal !== undefined && !isRunning(journal.runner)) await removeAttempt(root);
  }
}

async function list(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
