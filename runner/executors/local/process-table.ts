import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Tells a process from every other one that ever had the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; '' when the process was gone before it could be asked. */
  readonly startTime: string;
  /** '' where the system has none. */
  readonly bootId: string;
}

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly startTime: string;
  readonly zombie: boolean;
}

/** Linux shows its processes as files; other systems are asked through `ps`, and only for one process at a time. */
export const hasProcessTable = process.platform === 'linux';

const bootId = once(() => readQuietly('/proc/sys/kernel/random/boot_id')?.trim() ?? '');

/** The identity of this process. */
export const ownIdentity = once(() => identityOf(process.pid));

/** The identity of a running process, taken by whoever started it. */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, startTime: startTimeOf(pid) ?? '', bootId: bootId() };
}

/** Whether exactly this process still runs: same pid, same start, same boot of the machine. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identity.startTime !== '' && identity.bootId === bootId() && startTimeOf(identity.pid) === identity.startTime;
}

/** One line of the process table; undefined when there is no such process. */
export function readProcess(pid: number): ProcessRow | undefined {
  const stat = readQuietly(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in brackets may hold anything, brackets and spaces included; fields are counted behind it (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    startTime: fields[19] ?? '',
    zombie: fields[0] === 'Z' || fields[0] === 'X',
  };
}

/** The environment a process was started with, NUL-separated; '' when it may not be read. */
export function readEnvironment(pid: number): string {
  return readQuietly(`/proc/${pid}/environ`) ?? '';
}

/** Pids of all processes that can be seen. */
export function listPids(): readonly number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** The pid that was handed out last. */
export function newestPid(): number {
  return Number(readQuietly('/proc/loadavg')?.trim().split(' ').at(-1));
}

/** How many processes the kernel has ended for want of memory since it started; undefined where it does not say. */
export function outOfMemoryKills(): number | undefined {
  const count = /^oom_kill (\d+)$/m.exec(readQuietly('/proc/vmstat') ?? '')?.[1];
  return count === undefined ? undefined : Number(count);
}

/** For what cannot change while this process lives. */
function once<Value>(find: () => Value): () => Value {
  let found: { readonly value: Value } | undefined;
  return () => (found ??= { value: find() }).value;
}

function startTimeOf(pid: number): string | undefined {
  if (hasProcessTable) {
    const row = readProcess(pid);
    return row === undefined || row.zombie ? undefined : row.startTime;
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return undefined; // `ps` ends with 1 when there is no such process.
  }
}

function readQuietly(path: string): string | undefined {
  try {
    // The one encoding that Node reads without a detour; names of other bytes are of no interest here.
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // The process ended between two looks, or belongs to somebody else.
  }
}
