import { Readable } from 'node:stream';
import { SluiceError } from '../model/errors.ts';
import { blockBytes, padding, tarHeader } from './tar-header.ts';
import type { TarEntry } from './tar-header.ts';

const chunkBytes = 64 * 1024;

/**
 * A tar of the entries, in their order: the same entries give the same bytes. Written without a library, since a stream
 * per member costs more than the member.
 */
export function writeTar(entries: Iterable<TarEntry> | AsyncIterable<TarEntry>): Readable {
  return Readable.from(inChunks(pieces(entries)), { objectMode: false });
}

async function* pieces(entries: Iterable<TarEntry> | AsyncIterable<TarEntry>): AsyncGenerator<Uint8Array> {
  for await (const entry of entries) {
    yield tarHeader(entry);
    if (entry.kind !== 'file') continue;
    let left = entry.bytes;
    for await (const chunk of entry.content) {
      left -= chunk.length;
      yield chunk;
    }
    if (left !== 0) throw new SluiceError('ERR_WORKSPACE', `${entry.path} changed while it was read`);
    yield padding(entry.bytes);
  }
  yield new Uint8Array(2 * blockBytes);
}

/** Joins small pieces, so that readers get 64 KiB at a time instead of a header or a line. */
async function* inChunks(small: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of small) {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < chunkBytes) continue;
    yield Buffer.concat(waiting, bytes);
    waiting = [];
    bytes = 0;
  }
  yield Buffer.concat(waiting, bytes);
}
