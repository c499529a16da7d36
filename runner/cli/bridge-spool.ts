import { appendFile, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Announcement } from './announce.ts';

const name = 'sluice-bridge.spool';

/**
 * Announcements that wait in a file of the repository, a line each. Several hooks may run at once: each takes what is there by
 * renaming the file, and what a killed one had taken goes to the next.
 */
export class BridgeSpool {
  readonly path: string;
  readonly #folder: string;
  readonly #taken: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, name);
    this.#taken = `${this.path}.${process.pid}`;
  }

  add(pushes: readonly Announcement[]): Promise<void> {
    return appendFile(this.path, pushes.map((push) => `${JSON.stringify(push)}\n`).join(''), { flush: true });
  }

  /** All that waits; it is this process's until it is settled or put back. */
  async take(): Promise<readonly Announcement[]> {
    for (const file of await readdir(this.#folder)) {
      const pid = Number(new RegExp(`^${name}\\.(\\d+)$`).exec(file)?.[1]);
      if (pid > 0 && !isRunning(pid)) await this.#join(join(this.#folder, file));
    }
    // Another hook may have taken it in between, with what this one had added.
    await rename(this.path, this.#taken).catch(() => undefined);
    const lines = (await readFile(this.#taken, 'utf8').catch(() => '')).split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Announcement);
  }

  settle(): Promise<void> {
    return rm(this.#taken, { force: true });
  }

  putBack(): Promise<void> {
    return this.#join(this.#taken);
  }

  async #join(file: string): Promise<void> {
    await appendFile(this.path, await readFile(file, 'utf8').catch(() => ''), { flush: true });
    await rm(file, { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
