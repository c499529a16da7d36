import { addAbortSignal, Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { SluiceError } from '../model/errors.ts';
import type { BlobAccess } from './blob-access.ts';

/** The same blobs for whoever may store so many bytes in all; what goes beyond that ends with ERR_LIMIT, and all of it with the signal. */
export function limitedBlobs(blobs: BlobAccess, maxBytes: number, signal: AbortSignal): BlobAccess {
  let left = maxBytes;
  const count = (chunk: Uint8Array): Error | null => {
    left -= chunk.length;
    return left >= 0 ? null : new SluiceError('ERR_LIMIT', `all files together have more than ${maxBytes} bytes`);
  };
  return {
    open: (sha256) => blobs.open(sha256),
    put: (content) => blobs.put(addAbortSignal(signal, counted(content, count))),
  };
}

function counted(content: Readable, count: (chunk: Uint8Array) => Error | null): Readable {
  const counting = new Transform({ transform: (chunk: Uint8Array, _, done) => done(count(chunk), chunk) });
  content.once('error', (error) => counting.destroy(error));
  counting.once('close', () => content.destroy());
  return content.pipe(counting);
}
