import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../model/clock.ts';

const dayMs = 86_400_000;

/** Folders for what git writes when it reads working trees. Those of a process that was killed go after a day. */
export class Shadows {
  readonly #parent: string;
  readonly #folders = new Set<string>();

  constructor(parent: string) {
    this.#parent = parent;
  }

  async make(): Promise<string> {
    await mkdir(this.#parent, { recursive: true });
    if (this.#folders.size === 0) await this.#sweep();
    const folder = await mkdtemp(join(this.#parent, 'working-tree-'));
    this.#folders.add(folder);
    return folder;
  }

  async remove(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true });
    this.#folders.delete(folder);
  }

  async close(): Promise<void> {
    for (const folder of this.#folders) await this.remove(folder);
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#parent)) {
      const folder = join(this.#parent, name);
      const found = await stat(folder).catch(() => undefined);
      if (found !== undefined && systemClock() - found.mtimeMs > dayMs)
        await rm(folder, { recursive: true, force: true });
    }
  }
}
