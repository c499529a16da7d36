import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Owner } from './store.ts';
import { hasCode } from './system-error.ts';

/** Stands for the start of a process that has ended and only waits to be reaped. */
const ended = 'ended';

/** The owner that this process is. Each call answers another one, so ask once per process. */
export function thisProcess(): Owner {
  return { id: randomUUID(), host: hostname(), pid: process.pid, startedAt: startOf(process.pid) };
}

/** Whether the process still runs. What cannot be known, such as a process of another host, counts as alive. */
export function isAlive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  if (!exists(owner.pid)) return false;
  const start = startOf(owner.pid);
  if (start === ended) return false;
  return start === '' || owner.startedAt === '' || start === owner.startedAt;
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !hasCode(error, 'ESRCH');
  }
}

/** Boot and clock tick in which the process started, '' when unknown. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold anything, blanks and parentheses included.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, tick] = [fields[0] ?? '', fields[19] ?? ''];
    if ('ZX'.includes(state)) return ended;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}.${tick}`;
  } catch {
    return '';
  }
}
