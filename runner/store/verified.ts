import { createHash } from 'node:crypto';
import { Transform, pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { SluiceError } from '../model/errors.ts';

/** The same bytes; ends in ERR_CORRUPT, which names the blob, when they do not have this digest. */
export function verified(source: Readable, sha256: string): Readable {
  const hash = createHash('sha256');
  const check = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      done(hash.digest('hex') === sha256 ? null : rotten(sha256));
    },
  });
  return pipeline(source, check, () => {
    // Errors reach the reader through the stream that it holds.
  });
}

/** Only digests become names, so that none from outside leads anywhere else. */
export function isDigest(sha256: string): boolean {
  return /^[0-9a-f]{64}$/.test(sha256);
}

export function unknownBlob(sha256: string, cause?: unknown): SluiceError {
  return new SluiceError('ERR_NOT_FOUND', `There is no blob ${sha256}.`, { cause });
}

function rotten(sha256: string): SluiceError {
  return new SluiceError('ERR_CORRUPT', `The stored bytes of blob ${sha256} do not match its digest.`, {
    hint: 'The disk may be failing; restore the blobs from a backup, or run the pipeline again.',
  });
}
