import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../model/errors.ts';
import type { Json } from '../../model/json.ts';
import type { SiteRecord } from '../site.ts';
import { readText, writeDurably } from './durable-file.ts';
import { Serial } from './serial.ts';

const ending = '.json';

interface Stored {
  readonly version: number;
  readonly value: Json;
}

/** Records as files of a folder that only this process writes to: that is what makes comparing and setting one step. */
export class RecordFiles {
  readonly #folder: string;
  readonly #writes = new Serial();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(name: string): Promise<SiteRecord | undefined> {
    const stored = await this.#stored(name);
    return stored && recordOf(stored);
  }

  /** ERR_CONFLICT unless the record still has that version; undefined for one that must not be there yet. */
  write(name: string, value: Json, version: string | undefined): Promise<SiteRecord> {
    return this.#writes.run(async () => {
      const known = await this.#stored(name);
      if (version !== (known && recordOf(known).version)) {
        throw new SluiceError('ERR_CONFLICT', `somebody else wrote the record "${name}"`);
      }
      const next = { version: (known?.version ?? 0) + 1, value };
      await writeDurably(this.#path(name), JSON.stringify(next));
      return recordOf(next);
    });
  }

  async list(prefix: string): Promise<readonly string[]> {
    const files = await readdir(this.#folder).catch(() => []);
    return files
      .filter((file) => file.startsWith(prefix) && file.endsWith(ending))
      .map((file) => file.slice(0, -ending.length));
  }

  /** It may be gone already. */
  remove(name: string): Promise<void> {
    return this.#writes.run(() => rm(this.#path(name), { force: true }));
  }

  async #stored(name: string): Promise<Stored | undefined> {
    const text = await readText(this.#path(name));
    return text === undefined ? undefined : (JSON.parse(text) as Stored);
  }

  /** Names are those that Kubernetes takes too. */
  #path(name: string): string {
    if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)) return join(this.#folder, `${name}${ending}`);
    throw new SluiceError('ERR_USAGE', `${JSON.stringify(name)} is no name of a record`);
  }
}

function recordOf({ version, value }: Stored): SiteRecord {
  return { version: String(version), value };
}
