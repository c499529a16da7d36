import { setTimeout as sleep } from 'node:timers/promises';
import { hasProcessTable, listPids, newestPid, readEnvironment, readProcess } from './process-table.ts';
import type { ProcessRow } from './process-table.ts';

/**
 * Name of the variable that every process of an attempt inherits, whatever group or session it moves to. A runner that
 * itself runs inside a step hands the outer marker on in front of its own.
 */
export const markerName = 'SLUICE_ATTEMPT_ID';

/** What belongs to one attempt: processes with its marker, those in its groups, and the descendants of both. */
export interface ProcessTree {
  /** A text that stands in no other environment. */
  readonly marker: string;
  /** Groups that were certainly opened for this attempt. */
  readonly groups: readonly number[];
  /** Only processes with a higher pid can belong to it; see `canNarrow`. */
  readonly newerThan?: number;
}

const killDeadlineMs = 5_000;
const looksToBeSure = 3;

/** Sends a signal to a process group; false when no process of it is left. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}

/** TERM to the groups, then waits until they are empty or `patience` ends the wait. */
export async function terminateGroups(groups: readonly number[], patience: AbortSignal): Promise<void> {
  for (const group of groups) signalGroup(group, 'SIGTERM');
  while (!patience.aborted && groups.some(hasMembers))
    await sleep(20, undefined, { signal: patience }).catch(() => undefined);
}

/**
 * KILL to everything that belongs to the attempt, again and again until nothing is left. Answers the pids that could
 * not be ended within five seconds.
 */
export async function killTree(tree: ProcessTree): Promise<readonly number[]> {
  const deadline = performance.now() + killDeadlineMs;
  if (!hasProcessTable) {
    for (const group of tree.groups) signalGroup(group, 'SIGKILL');
    return [];
  }
  for (let quiet = 0, pause = 1; ; pause = Math.min(pause * 2, 50)) {
    const { members, complete } = look(tree);
    quiet = members.length === 0 ? quiet + 1 : 0;
    if (quiet > 0 && (complete || quiet === looksToBeSure)) return [];
    if (performance.now() > deadline) return members.map((member) => member.pid);
    for (const member of members) killProcess(member.pid);
    await sleep(pause);
  }
}

/**
 * Whether a look at pids above `pid` finds all processes that came after it: numbers are handed out upwards, and within
 * half a second they cannot come round again.
 */
export function canNarrow(pid: number, elapsedMs: number): boolean {
  return hasProcessTable && elapsedMs < 500 && newestPid() >= pid;
}

/** `complete` is false when a process ended during the look: what it started meanwhile may have been missed. */
function look(tree: ProcessTree): { readonly members: readonly ProcessRow[]; readonly complete: boolean } {
  const { newerThan = 0 } = tree;
  const pids = listPids().filter((pid) => pid > newerThan && pid !== process.pid);
  const rows = pids.map(readProcess).filter((row) => row !== undefined);
  const alive = rows.filter((row) => !row.zombie);
  return { members: belonging(alive, tree), complete: rows.length === pids.length };
}

function belonging(rows: readonly ProcessRow[], tree: ProcessTree): readonly ProcessRow[] {
  const members = new Map<number, ProcessRow>();
  for (const row of rows) {
    if (tree.groups.includes(row.group) || readEnvironment(row.pid).includes(tree.marker)) members.set(row.pid, row);
  }
  for (let before = -1; before !== members.size;) {
    before = members.size;
    for (const row of rows) if (members.has(row.parent)) members.set(row.pid, row);
  }
  return [...members.values()];
}

function hasMembers(group: number): boolean {
  if (!signalGroup(group, 0)) return false;
  // A zombie that nobody reaps keeps its group; it is no longer a process that could do anything.
  return !hasProcessTable || listPids().some((pid) => isLiveMember(readProcess(pid), group));
}

function isLiveMember(row: ProcessRow | undefined, group: number): boolean {
  return row?.group === group && !row.zombie;
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself between the look and the signal.
  }
}
