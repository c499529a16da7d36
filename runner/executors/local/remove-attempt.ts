import { existsSync, readdirSync } from 'node:fs';
import { journalName, readJournal } from './attempt-folder.ts';
import { discardFolder } from './discard-folder.ts';
import { isRunning } from './process-table.ts';
import { killTree } from './process-tree.ts';
import { removeTree } from './remove-tree.ts';

/**
 * Ends what still lives of an attempt whose runner is gone, and removes its folder. A process counts only when its start
 * is the recorded one or it carries the attempt's marker, so that a pid that was given out again is left alone.
 */
export async function removeAttempt(root: string): Promise<void> {
  const journal = readJournal(root);
  if (journal === undefined) {
    if (isHalfMade(root)) await discardFolder(root);
    return;
  }
  await killTree({
    marker: journal.marker,
    groups: journal.leaders.filter(isRunning).map((leader) => leader.pid),
  });
  for (const path of journal.folders) await removeTree(path);
  await discardFolder(root);
}

/** The journal is the first thing in a folder, so that a runner killed before it was written had started nothing. */
function isHalfMade(root: string): boolean {
  return existsSync(root) && readdirSync(root).every((name) => name === journalName);
}
