import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import got from 'got';
import { SluiceError, messageOf } from '../model/errors.ts';
import { abortion } from './deadline.ts';
import { checkAddress } from './registry-address.ts';
import type { PlainHttp } from './registry-address.ts';
import { RegistryError } from './registry-error.ts';

const connectMs = 10_000;
const silenceMs = 60_000;
const maxRedirects = 5;
const droppedBytes = 64 * 1024;

export interface Ask {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the host of `url` only. */
  readonly authorization?: string | undefined;
  /** Opened once for each request. */
  readonly body?: { readonly bytes: number; open(): Readable } | Uint8Array | string | undefined;
}

/** Where requests may go, and for how long. */
export interface Reach {
  readonly plainHttp: PlainHttp;
  readonly signal: AbortSignal;
}

/** `body` has to be read or destroyed. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly url: URL;
  readonly body: AsyncIterable<Uint8Array> & { destroy(): unknown };
}

/**
 * One request and the beginning of its answer, whatever its status. Redirects of GET and HEAD are followed, to another
 * host without credentials, never from TLS to plain HTTP. Errors: `unreachable`, `unsafe_address`, ERR_ABORTED.
 */
export async function exchange(ask: Ask, reach: Reach): Promise<Answer> {
  let current = ask;
  for (let redirects = 0; ; redirects += 1) {
    checkAddress(current.url, reach.plainHttp);
    const answer = await send(current, reach.signal);
    const { location } = answer.headers;
    if (!isRedirect(answer.status, ask.method) || location === undefined) return answer;
    await drop(answer, reach.signal);
    if (redirects === maxRedirects) throw new RegistryError('refused', `${ask.url.host} redirects in circles`);
    current = redirected(current, location);
  }
}

function isRedirect(status: number, method: string): boolean {
  return [301, 302, 303, 307, 308].includes(status) && (method === 'GET' || method === 'HEAD');
}

/** The request that a redirect asks for. */
export function redirected(from: Ask, location: string): Ask {
  const url = URL.parse(location, from.url.href);
  if (!url) throw new RegistryError('refused', `${from.url.host} redirects to what is no address`);
  if (from.url.protocol === 'https:' && url.protocol !== 'https:') {
    throw new RegistryError('unsafe_address', `${from.url.host} redirects to ${url.host} without TLS`);
  }
  return { ...from, url, authorization: url.host === from.url.host ? from.authorization : undefined };
}

async function send({ method, url, headers, authorization, body }: Ask, signal: AbortSignal): Promise<Answer> {
  const streamed = typeof body === 'object' && 'open' in body ? body : undefined;
  const content = streamed ? streamed.open() : (body as Uint8Array | string | undefined);
  const stream = got.stream(url, {
    method,
    headers: {
      'user-agent': 'sluice',
      ...headers,
      ...(authorization !== undefined && { authorization }),
      ...(streamed && { 'content-length': String(streamed.bytes) }),
    },
    ...(content !== undefined && { body: content }),
    followRedirect: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    decompress: false,
    timeout: { lookup: connectMs, connect: connectMs, secureConnect: connectMs, socket: silenceMs },
    signal,
  });
  // Between the answer's head and its reader nobody listens; the reader gets the error all the same.
  stream.on('error', () => undefined);
  if (streamed) stream.once('close', () => (content as Readable).destroy());
  try {
    if (method === 'HEAD') stream.resume();
    const [response] = (await once(stream, 'response')) as [{ statusCode: number; headers: IncomingHttpHeaders }];
    return { status: response.statusCode, headers: response.headers, url, body: stream };
  } catch (error) {
    throw connectionError(error, url, signal);
  }
}

/** What broke a connection, or a body on its way, as an error of ours; without its cause, which knows our credentials. */
export function connectionError(error: unknown, { host }: URL, signal: AbortSignal): SluiceError {
  if (error instanceof SluiceError) return error;
  if (signal.aborted) return abortion(signal);
  if (isAboutTls(error)) {
    return new RegistryError('untrusted', `The registry ${host} cannot be trusted: ${messageOf(error)}`, {
      hint:
        'NODE_EXTRA_CA_CERTS names a file with the certificate of its authority; ' +
        'SLUICE_PLAIN_HTTP_REGISTRIES lists registries that speak no TLS.',
    });
  }
  return new RegistryError('unreachable', `The registry ${host} cannot be reached: ${messageOf(error)}`, {
    hint: 'Check its name and port.',
  });
}

/** By the codes of OpenSSL's errors as Node has them. */
function isAboutTls(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /CERT|SIGNATURE|_SSL_|_TLS_|^EPROTO$/.test(String(error.code));
}

/** The whole body. `corrupt` when it is longer than `limit` bytes. */
export async function readBody(answer: Answer, limit: number, signal: AbortSignal): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer.body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > limit) {
        throw new RegistryError('corrupt', `${answer.url.host} answers more than ${limit} bytes where less is right`);
      }
    }
  } catch (error) {
    throw connectionError(error, answer.url, signal);
  }
  return Buffer.concat(chunks, bytes);
}

/** Reads what is left of an answer that nobody needs, so that its connection serves the next request. */
export async function drop(answer: Answer, signal: AbortSignal): Promise<void> {
  await readBody(answer, droppedBytes, signal).catch(() => undefined);
}
