import { createHash, randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptKey } from '../../model/result.ts';
import { ownIdentity } from './process-table.ts';
import type { ProcessIdentity } from './process-table.ts';

export const journalName = 'journal';

/** Everything that an attempt has on disk, below one folder; real paths. */
export interface AttemptFolder {
  readonly root: string;
  readonly workspace: string;
  readonly home: string;
  readonly temporary: string;
  readonly script: string;
  readonly output: string;
  /** Stands in the environment of each of its processes; a random text. */
  readonly marker: string;
}

/** What is needed to clean up after a runner that was killed. */
export interface AttemptJournal {
  readonly marker: string;
  /** The runner that drives the attempt. */
  readonly runner: ProcessIdentity;
  /** Leaders of the process groups that were opened for it. */
  readonly leaders: readonly ProcessIdentity[];
  /** What it has outside of its folder. */
  readonly folders: readonly string[];
}

type Entry =
  Pick<AttemptJournal, 'marker' | 'runner'> | { readonly leader: ProcessIdentity } | { readonly folder: string };

/** Where an attempt lives: the same for the same key, so that it is found again without any record of it. */
export function attemptRoot(parent: string, key: AttemptKey): string {
  const name = createHash('sha256')
    .update(JSON.stringify([key.runId, key.step, key.attempt]))
    .digest('hex')
    .slice(0, 16);
  return join(parent, name);
}

/**
 * Makes the folder with its journal; throws when it exists, since an attempt is executed once. Calls of files are
 * synchronous in this room where they are few and small: a turn of the thread pool takes longer than they do.
 */
export function createAttemptFolder(path: string, script: string): AttemptFolder {
  mkdirSync(path, { mode: 0o700 });
  const root = realpathSync.native(path);
  const folder = {
    root,
    workspace: join(root, 'workspace'),
    home: join(root, 'home'),
    temporary: join(root, 'tmp'),
    script: join(root, 'script'),
    output: join(root, 'output'),
    marker: randomUUID(),
  };
  writeFileSync(journalPath(root), jsonLine({ marker: folder.marker, runner: ownIdentity() }));
  for (const path of [folder.workspace, folder.home, folder.temporary]) mkdirSync(path);
  writeFileSync(folder.output, '');
  writeFileSync(folder.script, script, { mode: 0o600 });
  return folder;
}

/** Written before the process may do anything, so that none is ever unknown. */
export function recordLeader(root: string, leader: ProcessIdentity): void {
  appendFileSync(journalPath(root), jsonLine({ leader }));
}

/** For a folder that the attempt has elsewhere. */
export function recordFolder(root: string, folder: string): void {
  appendFileSync(journalPath(root), jsonLine({ folder }));
}

/** What all processes of one part of an attempt carry: its step, or one of its services. */
export function partMarker(folder: AttemptFolder, part: string): string {
  return `${folder.marker}/${part}/`;
}

/** Undefined when the folder holds no journal: it is gone, or not an attempt's. */
export function readJournal(root: string): AttemptJournal | undefined {
  let text;
  try {
    text = readFileSync(journalPath(root), 'utf8');
  } catch {
    return undefined;
  }
  // A line that was cut short by the end of the runner belongs to a process that was not let go.
  const entries = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Entry);
  const head = entries.find((entry) => 'marker' in entry);
  if (head === undefined) return undefined;
  return {
    ...head,
    leaders: entries.flatMap((entry) => ('leader' in entry ? [entry.leader] : [])),
    folders: entries.flatMap((entry) => ('folder' in entry ? [entry.folder] : [])),
  };
}

function journalPath(root: string): string {
  return join(root, journalName);
}

function jsonLine(value: Entry): string {
  return `${JSON.stringify(value)}\n`;
}
