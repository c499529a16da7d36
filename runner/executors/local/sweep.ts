import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readJournal } from './attempt-folder.ts';
import { isRunning } from './process-table.ts';
import { removeAttempt } from './remove-attempt.ts';

/** Removes what runners left in a work folder that ended without cleaning up, processes of their attempts included. */
export async function sweep(attempts: string): Promise<void> {
  for (const name of await list(attempts)) {
    const root = join(attempts, name);
    const journal = readJournal(root);
    if (journal !== undefined && !isRunning(journal.runner)) await removeAttempt(root);
  }
}

async function list(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
