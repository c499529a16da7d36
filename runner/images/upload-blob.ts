import type { Readable } from 'node:stream';
import { drop } from './exchange.ts';
import type { Answer } from './exchange.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistrySession } from './registry-session.ts';
import { Retries } from './retry.ts';

/** As much as proxies in front of registries let through in one request. */
const defaultChunkBytes = 64 * 1024 * 1024;

/** Bytes to be uploaded; `open` begins at a byte. */
export interface Blob {
  readonly digest: string;
  readonly size: number;
  open(start: number, end: number): Readable;
}

interface Upload {
  readonly to: URL;
  /** How many bytes the registry has. */
  readonly offset: number;
  readonly chunkBytes: number;
}

/**
 * Uploads a blob in chunks, the last of them with its digest. After a failure the registry is asked how far it came, and
 * it goes on there; where the registry does not know the upload any more it begins anew, unless the blob is there by now.
 * Source: distribution-spec 1.1, "Pushing a blob in chunks".
 */
export async function uploadBlob(session: RegistrySession, blob: Blob, isThere: () => Promise<boolean>): Promise<void> {
  const retries = new Retries();
  let upload: Upload | undefined;
  let broken = false;
  for (;;) {
    try {
      if (broken && upload) upload = await resume(session, upload);
      if (broken && !upload && (await isThere())) return;
      broken = false;
      upload ??= await begin(session);
      upload = await sendChunk(session, upload, blob);
      if (!upload) return;
    } catch (error) {
      broken = true;
      if (error instanceof RegistryError && error.reason === 'upload_lost') upload = undefined;
      await retries.failed(error, session.signal);
    }
  }
}

async function begin(session: RegistrySession): Promise<Upload> {
  const answer = await session.call({ method: 'POST', to: 'blobs/uploads/', body: '' });
  if (answer.status !== 202) throw await session.failure(answer);
  const minimum = Number(answer.headers['oci-chunk-min-length'] ?? 0);
  const chunkBytes = Number.isSafeInteger(minimum) ? Math.max(minimum, defaultChunkBytes) : defaultChunkBytes;
  return { to: await location(session, answer), offset: 0, chunkBytes };
}

/** How far the registry came; undefined when it knows nothing of the upload. */
async function resume(session: RegistrySession, upload: Upload): Promise<Upload | undefined> {
  const answer = await session.call({ method: 'GET', to: upload.to });
  await drop(answer, session.signal);
  if (answer.status !== 204) return undefined;
  const [, last] = /^(?:bytes=)?0-(\d+)$/.exec(answer.headers.range ?? '') ?? [];
  // "0-0" is what registries say of nothing as well as of one byte.
  const offset = last === undefined || last === '0' ? 0 : Number(last) + 1;
  return {
    ...upload,
    to: answer.headers.location === undefined ? upload.to : session.resolve(answer.headers.location, answer),
    offset,
  };
}

/** Undefined once the registry has the whole blob. */
async function sendChunk(session: RegistrySession, upload: Upload, blob: Blob): Promise<Upload | undefined> {
  const { offset, chunkBytes } = upload;
  if (offset > blob.size) throw new RegistryError('upload_lost', `${session.place.host} has more than was sent`);
  const bytes = Math.min(chunkBytes, blob.size - offset);
  const end = offset + bytes;
  const headers = {
    'content-type': 'application/octet-stream',
    ...(bytes > 0 && { 'content-range': `${offset}-${end - 1}` }),
  };
  const body = bytes === 0 ? '' : { bytes, open: () => blob.open(offset, end) };
  const isLast = end === blob.size;
  const to = isLast ? withDigest(upload.to, blob.digest) : upload.to;
  const answer = await session.call({ method: isLast ? 'PUT' : 'PATCH', to, headers, body });
  if (answer.status !== (isLast ? 201 : 202)) throw await uploadFailure(session, answer);
  if (!isLast) return { ...upload, to: await location(session, answer), offset: end };
  await drop(answer, session.signal);
  return undefined;
}

function withDigest(to: URL, digest: string): URL {
  const url = new URL(to);
  url.searchParams.set('digest', digest);
  return url;
}

/** An unknown upload, chunks out of order, and a digest that does not fit are mended by another upload. */
async function uploadFailure(session: RegistrySession, answer: Answer): Promise<RegistryError> {
  const { status } = answer;
  return session.failure(answer, [400, 404, 416].includes(status) ? 'upload_lost' : undefined);
}

async function location(session: RegistrySession, answer: Answer): Promise<URL> {
  await drop(answer, session.signal);
  return session.resolve(answer.headers.location, answer);
}
