import { createHash, randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import { SluiceError, messageOf } from '../model/errors.ts';
import { makeFolder } from './make-folder.ts';
import type { Blobs } from './store.ts';
import { isDigest, unknownBlob, verified } from './verified.ts';

export interface S3Address {
  /** s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION; without an endpoint that of AWS. */
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const partBytes = 16 * 1024 ** 2;
const mostTries = 6;

/**
 * Blobs in a bucket of any S3-compatible store, each as an object that is named by its digest and written once (If-None-Match).
 * `folder` is for what is on its way: a digest is known when all bytes are.
 */
export async function openS3Blobs(address: S3Address, folder: string): Promise<Blobs> {
  await makeFolder(folder);
  const bucket = new Bucket(address);
  return {
    put: (content) => put(bucket, folder, content),
    open: (sha256, range) => read(bucket, sha256, range),
    size: async (sha256) => {
      if (!isDigest(sha256)) return undefined;
      const answer = await bucket.ask('HEAD', sha256, { expected: [404] });
      return answer.status === 404 ? undefined : Number(answer.headers.get('content-length'));
    },
  };
}

interface Ask {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Answers that are no errors, beside those of success. */
  readonly expected?: readonly number[];
}

class Bucket {
  readonly #client: AwsClient;
  readonly #base: string;

  constructor({ url, accessKeyId, secretAccessKey, sessionToken }: S3Address) {
    const { base, region } = parse(url);
    this.#base = base;
    const session = sessionToken === undefined ? {} : { sessionToken };
    this.#client = new AwsClient({ accessKeyId, secretAccessKey, ...session, service: 's3', region, retries: 0 });
  }

  /** Again when the store is busy or the connection breaks: every request may be made twice. */
  async ask(
    method: string,
    name: string,
    { query = '', headers = {}, body, expected = [] }: Ask = {},
  ): Promise<Response> {
    const url = `${this.#base}/${name}${query}`;
    const digest =
      body === undefined ? {} : { 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex') };
    for (let tries = 1; ; tries++) {
      const init = { method, headers: { ...headers, ...digest }, ...(body !== undefined && { body }) };
      const answer = await this.#client.fetch(url, init).catch((error: unknown) => unreachable(url, error));
      if (answer instanceof Response) {
        if (answer.ok || expected.includes(answer.status)) return answer;
        const said = await answer.text();
        if (tries === mostTries || !isPassing(answer.status)) throw refused(url, answer.status, said);
      } else if (tries === mostTries) throw answer;
      await sleep(100 * 2 ** tries * (0.5 + Math.random()));
    }
  }
}

async function put(bucket: Bucket, folder: string, content: Readable): ReturnType<Blobs['put']> {
  const path = join(folder, randomUUID());
  const file = await open(path, 'wx+', 0o600);
  try {
    // Without a name it goes with this process, however that ends.
    await rm(path);
    const { sha256, bytes } = await receive(content, file);
    if (bytes <= partBytes) {
      const body = await part(file, 0, bytes);
      await bucket.ask('PUT', sha256, { body, headers: { 'if-none-match': '*' }, expected: [412] });
    } else if ((await bucket.ask('HEAD', sha256, { expected: [404] })).status === 404) {
      await putInParts(bucket, sha256, file, bytes);
    }
    return { sha256, bytes };
  } catch (error) {
    content.destroy();
    throw error;
  } finally {
    await file.close();
  }
}

async function receive(content: Readable, file: FileHandle): ReturnType<Blobs['put']> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of content as AsyncIterable<Uint8Array | string>) {
    const piece = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    hash.update(piece);
    bytes += piece.byteLength;
    await file.writeFile(piece);
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Nothing can be read under the name before the last request. */
async function putInParts(bucket: Bucket, sha256: string, file: FileHandle, bytes: number): Promise<void> {
  const begun = await (await bucket.ask('POST', sha256, { query: '?uploads' })).text();
  const [, id = ''] = /<UploadId>([^<]+)</.exec(begun) ?? [];
  const upload = `uploadId=${encodeURIComponent(id)}`;
  try {
    const parts: string[] = [];
    for (let start = 0; start < bytes; start += partBytes) {
      const body = await part(file, start, Math.min(partBytes, bytes - start));
      const number = parts.length + 1;
      const { headers } = await bucket.ask('PUT', sha256, { query: `?partNumber=${number}&${upload}`, body });
      parts.push(`<Part><PartNumber>${number}</PartNumber><ETag>${headers.get('etag') ?? ''}</ETag></Part>`);
    }
    const list = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
    const end = { query: `?${upload}`, body: Buffer.from(list), headers: { 'if-none-match': '*' }, expected: [412] };
    const said = await (await bucket.ask('POST', sha256, end)).text();
    // The store may have said 200 before it knew.
    if (said.includes('<Error>') && !said.includes('PreconditionFailed')) throw refused(sha256, 200, said);
  } catch (error) {
    await bucket.ask('DELETE', sha256, { query: `?${upload}`, expected: [404] }).catch(() => undefined);
    throw error;
  }
}

async function part(file: FileHandle, start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, start + filled);
    if (bytesRead === 0) throw new SluiceError('ERR_INTERNAL', 'A blob on its way has lost its end.');
    filled += bytesRead;
  }
  return bytes;
}

async function read(bucket: Bucket, sha256: string, range: Parameters<Blobs['open']>[1]): Promise<Readable> {
  if (!isDigest(sha256)) throw unknownBlob(sha256);
  if (range?.end !== undefined && range.end <= range.start) return Readable.from([]);
  const last = range?.end === undefined ? '' : range.end - 1;
  const headers = range === undefined ? {} : { range: `bytes=${range.start}-${last}` };
  const answer = await bucket.ask('GET', sha256, { headers, expected: [404, 416] });
  if (answer.status === 404) throw unknownBlob(sha256);
  // A range behind the end; an empty object has no other.
  if (answer.status === 416 || answer.body === null) return Readable.from([]);
  const body = Readable.fromWeb(answer.body);
  return range === undefined ? verified(body, sha256) : body;
}

function parse(text: string): { readonly base: string; readonly region: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 's3:' || url.host === '')
    throw new SluiceError('ERR_USAGE', 'SLUICE_BLOBS_URL is no address of a bucket.', {
      hint: 'Give s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION.',
    });
  const region = url.searchParams.get('region') ?? 'us-east-1';
  const endpoint = url.searchParams.get('endpoint') ?? `https://s3.${region}.amazonaws.com`;
  const path = `${url.host}${url.pathname}`.replace(/\/+$/, '');
  return { base: `${endpoint.replace(/\/+$/, '')}/${path}`, region };
}

/** Busy, or two conditional writes of one object at the same moment. */
function isPassing(status: number): boolean {
  return status >= 500 || status === 429 || status === 409;
}

function unreachable(url: string, cause: unknown): SluiceError {
  const { host } = new URL(url);
  const reason = messageOf(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause);
  return new SluiceError('ERR_UNREADABLE', `The blob store ${host} cannot be reached: ${reason}.`, {
    hint: 'Check SLUICE_BLOBS_URL, and that the store is reachable from here.',
    cause,
  });
}

function refused(place: string, status: number, said: string): SluiceError {
  const [, code = String(status)] = /<Code>([^<]+)</.exec(said) ?? [];
  return new SluiceError('ERR_UNREADABLE', `The blob store refuses ${place}: ${code}.`, {
    hint: 'Check the bucket in SLUICE_BLOBS_URL, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  });
}
