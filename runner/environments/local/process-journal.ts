import { randomUUID } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning } from '../../executors/local/process-table.ts';
import type { ProcessIdentity } from '../../executors/local/process-table.ts';
import { killTree } from '../../executors/local/process-tree.ts';

/** What a supervisor has started, in a file, so that the next one can end what this one leaves when it is killed. */
export class ProcessJournal {
  readonly #path: string;
  readonly #marker = randomUUID();

  constructor(path: string) {
    this.#path = path;
    writeFileSync(path, `${JSON.stringify(this.#marker)}\n`, { mode: 0o600 });
  }

  /** A text that stands in the environment of every process that `part` starts. */
  markerOf(part: string): string {
    return `${this.#marker}/${part}/`;
  }

  /** Written before the process may do anything. */
  add(leader: ProcessIdentity): void {
    appendFileSync(this.#path, `${JSON.stringify(leader)}\n`);
  }
}

/** Ends everything that the supervisor before left, and opens a new journal. */
export async function succeedJournal(folder: string): Promise<ProcessJournal> {
  const path = join(folder, 'processes');
  const [marker, ...leaders] = readLines(path);
  if (typeof marker === 'string') {
    const groups = (leaders as readonly ProcessIdentity[]).filter(isRunning).map(({ pid }) => pid);
    await killTree({ marker: `${marker}/`, groups });
  }
  return new ProcessJournal(path);
}

/** A line that was cut short belongs to a process that was not let go. */
function readLines(path: string): readonly unknown[] {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);
}
