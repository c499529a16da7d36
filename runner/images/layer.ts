import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { SluiceError } from '../model/errors.ts';
import { listTree, packTree } from '../workspace/pack-tree.ts';
import { mediaTypes } from './manifest.ts';
import type { Descriptor } from './manifest.ts';
import { writeTemporary } from './temporary-files.ts';
import type { Blob } from './upload-blob.ts';

/** Files of this machine, and where they are to be in the image. */
export interface LayerSource {
  /** Folder that they are in. */
  readonly folder: string;
  /** Absolute path in the image, such as `/app`. */
  readonly destination: string;
  /** Files and folders in `folder`; without it everything there. */
  readonly paths?: readonly string[];
}

/** A layer that lies in a file, ready to be uploaded. */
export interface Layer {
  readonly descriptor: Descriptor;
  /** Digest of the tar itself. */
  readonly diffId: string;
  readonly destination: string;
  readonly blob: Blob;
}

const blockBytes = 1024 * 1024;
const blocksAtOnce = 4;
const level = 6;

/**
 * Writes the layer of some files to `file`: owner root, modes 644 and 755, time 0, sorted by name, so that the same
 * files make the same digest with the same version of Node, whose zlib compresses. ERR_USAGE for a destination that is
 * none, ERR_WORKSPACE for files that cannot be in a layer.
 */
export async function makeLayer(source: LayerSource, file: string, signal: AbortSignal): Promise<Layer> {
  const destination = normalDestination(source.destination);
  const paths = await listTree(source.folder, source.paths ?? [''], signal);
  refuseWhiteouts(paths);
  const tar = createHash('sha256');
  const layer = createHash('sha256');
  let size = 0;
  const compressed = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const member of gzipMembers(blocks(chunks, (chunk) => tar.update(chunk)))) {
      layer.update(member);
      size += member.length;
      yield member;
    }
  };
  const packed: Readable = packTree(source.folder, paths, destination.slice(1));
  await writeTemporary(file, compressed(packed), signal);
  const digest = `sha256:${layer.digest('hex')}`;
  return {
    descriptor: { mediaType: mediaTypes.layer, digest, size },
    diffId: `sha256:${tar.digest('hex')}`,
    destination,
    blob: { digest, size, open: (start, end) => createReadStream(file, { start, end: end - 1 }) },
  };
}

function normalDestination(destination: string): string {
  const parts = destination.split('/').filter((part) => part !== '' && part !== '.');
  if (destination.startsWith('/') && !parts.includes('..') && !/[\0\uFFFD]/.test(destination))
    return `/${parts.join('/')}`;
  throw new SluiceError('ERR_USAGE', `${JSON.stringify(destination)} is no folder of an image`, {
    hint: 'Give an absolute path without "..", such as /app.',
  });
}

/** In a layer such a name deletes what lies below it (image-spec, layer.md). */
function refuseWhiteouts(paths: readonly string[]): void {
  const whiteout = paths.find((path) => /(^|\/)\.wh\./.test(path));
  if (whiteout === undefined) return;
  throw new SluiceError(
    'ERR_WORKSPACE',
    `${JSON.stringify(whiteout)} cannot be in an image: ".wh." means "deleted" there`,
    {
      hint: 'Rename it, or list the files that the image needs.',
    },
  );
}

/** Blocks of one size, whatever the sizes of the chunks were. */
async function* blocks(
  chunks: AsyncIterable<Uint8Array>,
  seen: (chunk: Uint8Array) => unknown,
): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    seen(chunk);
    let rest = chunk;
    while (bytes + rest.length >= blockBytes) {
      yield Buffer.concat([...waiting, rest.subarray(0, blockBytes - bytes)], blockBytes);
      rest = rest.subarray(blockBytes - bytes);
      [waiting, bytes] = [[], 0];
    }
    waiting.push(rest);
    bytes += rest.length;
  }
  if (bytes > 0) yield Buffer.concat(waiting, bytes);
}

const compress = promisify(gzip) as (block: Uint8Array, options: { readonly level: number }) => Promise<Buffer>;
const systemByte = 9;

/** Compresses blocks on several threads, each to a member of its own: a gzip file may have many (RFC 1952 §2.2). */
async function* gzipMembers(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const underWay: Promise<Buffer>[] = [];
  const next = async (): Promise<Buffer> => {
    const member = (await underWay.shift()) ?? Buffer.alloc(0);
    // zlib writes which system made it; 255 is "unknown".
    member[systemByte] = 255;
    return member;
  };
  try {
    for await (const block of input) {
      underWay.push(compress(block, { level }));
      if (underWay.length === blocksAtOnce) yield await next();
    }
    while (underWay.length > 0) yield await next();
  } finally {
    await Promise.allSettled(underWay);
  }
}
