import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from './fault-site.ts';
import { logFile, sizeOf } from './read-home.ts';
import type { Runner } from './runner-process.ts';

/** Settles when some of the log of a step's first attempt is stored: its command runs. */
export async function logOf(step: string, { home }: Machine, runner: Runner): Promise<void> {
  await until(() => !runner.running || sizeOf(logFile(home, runner.runId ?? '', step, 1)) > 500);
}

export async function until(came: () => boolean): Promise<void> {
  while (!came()) await sleep(5);
}
