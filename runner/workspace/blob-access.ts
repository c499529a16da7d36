import type { Readable } from 'node:stream';

/** Content-addressed bytes, as far as work on a workspace needs them. */
export interface BlobAccess {
  /** Stores a stream and answers its sha256 (hex) and length; the same bytes are stored once. */
  put(content: Readable): Promise<{ readonly sha256: string; readonly bytes: number }>;
  /** Rejects with ERR_NOT_FOUND for an unknown digest, and ends with ERR_CORRUPT when the bytes do not match it. */
  open(sha256: string): Promise<Readable>;
}
