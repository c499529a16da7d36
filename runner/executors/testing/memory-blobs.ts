import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { SluiceError } from '../../model/errors.ts';
import { readTar } from '../../workspace/read-tar.ts';
import type { BlobAccess } from '../../workspace/blob-access.ts';
import { textTar } from './text-tar.ts';

/** Blobs in memory. */
export class MemoryBlobs implements BlobAccess {
  readonly #content = new Map<string, Buffer>();

  async put(content: Readable): Promise<{ readonly sha256: string; readonly bytes: number }> {
    const bytes = Buffer.concat((await content.toArray()) as Uint8Array[]);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.#content.set(sha256, bytes);
    return { sha256, bytes: bytes.length };
  }

  open(sha256: string): Promise<Readable> {
    const bytes = this.#content.get(sha256);
    if (bytes === undefined) return Promise.reject(new SluiceError('ERR_NOT_FOUND', `no blob ${sha256}`));
    return Promise.resolve(Readable.from([bytes]));
  }

  text(sha256: string | undefined): string | undefined {
    return this.#content.get(sha256 ?? '')?.toString();
  }

  async tar(files: Readonly<Record<string, string>>): Promise<string> {
    return (await this.put(textTar(files))).sha256;
  }

  async members(sha256: string): Promise<readonly string[]> {
    const names = [];
    for await (const member of readTar(await this.open(sha256))) names.push(member.path);
    return names;
  }
}
