import { rm } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { digestOf } from './digest.ts';
import type { Descriptor } from './manifest.ts';
import type { Repository } from './repository.ts';

/** How a blob came to its place: it was there, taken from a repository beside it, or sent, from elsewhere or from here. */
export type BlobOrigin = 'present' | 'mounted' | 'copied' | 'uploaded';

export interface Transfer {
  readonly source: Repository;
  readonly target: Repository;
  /** Repository of the same registry; undefined when the source is another registry, or the target itself. */
  readonly mountFrom: string | undefined;
  /** For what is on its way. */
  readonly folder: string;
}

/** Brings a blob of the source to the target by the cheapest way that there is. */
export async function moveBlob(
  { digest, size }: Descriptor,
  { source, target, mountFrom, folder }: Transfer,
): Promise<BlobOrigin> {
  if (await target.hasBlob(digest)) return 'present';
  if (mountFrom !== undefined && (await target.mount(digest, mountFrom))) return 'mounted';
  const file = join(folder, digest.replace(':', '-'));
  await source.saveBlob({ mediaType: '', digest, size }, file);
  await target.upload({ digest, size, open: (start, end) => createReadStream(file, { start, end: end - 1 }) });
  await rm(file);
  return 'copied';
}

/** Uploads a document unless it is there, and answers what names it. */
export async function pushBytes(target: Repository, mediaType: string, text: string): Promise<Descriptor> {
  const bytes = Buffer.from(text);
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  if (!(await target.hasBlob(descriptor.digest))) {
    await target.upload({ ...descriptor, open: (start, end) => Readable.from([bytes.subarray(start, end)]) });
  }
  return descriptor;
}
