import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import type { Extract, Header } from 'tar-stream';
import { SluiceError, messageOf } from '../model/errors.ts';
import { ArchiveEnd } from './archive-end.ts';
import { memberPath, refusal } from './member-path.ts';

export interface TarLimits {
  /** Members of any kind. */
  readonly maxFiles: number;
  /** Sum of the sizes of all files. */
  readonly maxBytes: number;
}

export const defaultLimits: TarLimits = { maxFiles: 500_000, maxBytes: 32 * 1024 ** 3 };

interface Member {
  readonly name: string;
  /** The name without `.` and empty parts, '' for the folder itself. */
  readonly path: string;
  readonly mode: number;
}

export interface FileMember extends Member {
  readonly kind: 'file';
  readonly bytes: number;
  readonly content: AsyncIterable<Uint8Array>;
}

export interface FolderMember extends Member {
  readonly kind: 'folder';
}

export interface LinkMember extends Member {
  readonly kind: 'symlink' | 'hardlink';
  /** As the archive says it, unchecked. */
  readonly target: string;
}

/** A member of an archive. Its path stays inside the folder that it is unpacked to. */
export type TarMember = FileMember | FolderMember | LinkMember;

/** Space on the wire for the headers and the padding of one member. */
const headerBytes = 8_192;

/**
 * Members of an untrusted tar, in its order; a content is read before the next member is asked for, or never.
 * Ends with ERR_WORKSPACE for a member that must not be unpacked, ERR_LIMIT above a limit, ERR_CORRUPT for an archive
 * that is damaged or lacks the end mark that proves it whole, ERR_ABORTED after `signal`.
 */
export async function* readTar(
  content: Readable,
  limits: TarLimits = defaultLimits,
  signal?: AbortSignal,
): AsyncGenerator<TarMember> {
  const archive = extract();
  const ending = new ArchiveEnd(limits.maxBytes + (limits.maxFiles + 1) * headerBytes);
  const fed = feed(content, ending, archive, signal);
  const left = { files: limits.maxFiles, bytes: limits.maxBytes };
  let end = 0;
  try {
    for await (const entry of archive) {
      spend(left, entry.header);
      yield memberOf(entry.header, contentOf(entry, signal));
      entry.resume();
      end = endOf(entry.header);
    }
  } catch (error) {
    throw explain(error, signal);
  } finally {
    archive.destroy();
    await fed;
  }
  const failure = await fed;
  if (failure !== undefined) throw explain(failure, signal);
  ending.verify(end);
}

/** Settles when the archive took all of the content; answers what went wrong instead of rejecting. */
async function feed(content: Readable, ending: ArchiveEnd, archive: Extract, signal?: AbortSignal): Promise<unknown> {
  try {
    await pipeline(content, (chunks) => ending.watch(chunks), archive, signal === undefined ? {} : { signal });
    return undefined;
  } catch (error) {
    return error;
  }
}

function spend(left: { files: number; bytes: number }, header: Header): void {
  if (!Number.isSafeInteger(header.size)) throw refusal(header.name, 'has no size');
  left.files -= 1;
  left.bytes -= header.size;
  if (left.files < 0) throw new SluiceError('ERR_LIMIT', 'The archive has more members than it may');
  if (left.bytes < 0) throw new SluiceError('ERR_LIMIT', `Archive member ${JSON.stringify(header.name)} is too large`);
}

function memberOf(header: Header, content: AsyncIterable<Uint8Array>): TarMember {
  const path = memberPath(header.name);
  const member = { name: header.name, path, mode: header.mode };
  if (header.type === 'directory' && header.size === 0) return { ...member, kind: 'folder' };
  if (path === '') throw refusal(header.name, 'has no name');
  if (header.type === 'file' && !isSparse(header)) return { ...member, kind: 'file', bytes: header.size, content };
  if (header.type === 'symlink') return { ...member, kind: 'symlink', target: targetOf(header) };
  if (header.type === 'link') return { ...member, kind: 'hardlink', target: targetOf(header) };
  throw refusal(header.name, 'is no plain file, folder or link');
}

async function* contentOf(entry: AsyncIterable<unknown>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of entry) if (chunk instanceof Uint8Array) yield chunk;
  } catch (error) {
    throw explain(error, signal);
  }
}

/** Null, whatever the library's types say, when the archive names no target. */
function targetOf({ linkname }: { readonly linkname: string | null }): string {
  return linkname ?? '';
}

/** Sparse files of the pax form look like plain ones and hold a map instead of their content. */
function isSparse(header: Header): boolean {
  return Object.keys(header.pax ?? {}).some((key) => key.startsWith('GNU.sparse.'));
}

/** Where the member's last block ends in the archive. */
function endOf(header: Header): number {
  const start = 'byteOffset' in header && typeof header.byteOffset === 'number' ? header.byteOffset : 0;
  return start + Math.ceil(header.size / 512) * 512;
}

function explain(error: unknown, signal?: AbortSignal): SluiceError {
  if (signal?.aborted === true)
    return new SluiceError('ERR_ABORTED', 'Reading the archive was aborted', { cause: error });
  if (error instanceof SluiceError) return error;
  return new SluiceError('ERR_CORRUPT', `The archive cannot be read: ${messageOf(error)}`, { cause: error });
}
