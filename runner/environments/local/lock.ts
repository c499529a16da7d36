import { DatabaseSync } from 'node:sqlite';

/**
 * Takes a lock that this process holds until it ends, however it ends: the system frees locks of files then. Node knows only those of SQLite. Answers how to give it back; undefined when
 * another process has it.
 */
export function takeLock(path: string): (() => void) | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return () => database.close();
  } catch {
    database.close();
    return undefined;
  }
}
