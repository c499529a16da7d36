import { lookup as systemLookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import got from 'got';
import type { Clock } from '../model/clock.ts';
import { messageOf } from '../model/errors.ts';
import { forbiddenAddress, forbiddenUrl } from './address-rules.ts';
import type { AddressRules } from './address-rules.ts';
import { classifyResponse } from './classify-response.ts';
import type { Message } from './message.ts';
import type { Answer } from './receiver.ts';

const timeoutMs = 20_000;
/** What is read of an answer, in bytes; the rest is nobody's business. */
const answerBytes = 4_096;

/** Every address of a host; `dns.lookup` is one. */
export type Resolve = (
  hostname: string,
  options: { readonly all: true },
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** Sends messages to configured hosts only. */
export interface Sender {
  send(message: Message, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

/**
 * `rulesNow` answers where messages may go as the configuration is now.
 * The addresses of a host are judged as it is connected to, and the connection goes to those and no others: a name that
 * has another address a moment later, or two at once, gets nowhere. Redirects are not followed.
 */
export function createSender(
  rulesNow: () => Promise<AddressRules>,
  clock: Clock,
  resolve: Resolve = systemLookup,
): Sender {
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
  return {
    async send({ url, headers, body }, signal) {
      const rules = await rulesNow();
      const target = URL.parse(url);
      const complaint = target ? forbiddenUrl(target, rules) : 'it is no address';
      if (!target || complaint !== undefined) return { kind: 'retry', reason: `${url} is refused: ${complaint}` };
      const guarded = guard(resolve, rules.privateHosts.includes(target.host));
      try {
        return classifyResponse(
          await post(target, { headers, body, signal, agent: agents, dnsLookup: guarded }),
          clock(),
        );
      } catch (error) {
        return { kind: 'retry', reason: messageOf(error), ...(signal.aborted && { afterMs: 0 }) };
      }
    },

    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  readonly agent: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly dnsLookup: LookupFunction;
}

/** Sends once and reads the beginning of the answer. */
async function post(url: URL, options: Post): Promise<Parameters<typeof classifyResponse>[0]> {
  const stream = got.stream.post(url, {
    ...options,
    followRedirect: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    timeout: { request: timeoutMs },
    decompress: false,
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= answerBytes) break;
  }
  const { response } = stream;
  if (!response) throw new Error('it did not answer');
  const text = Buffer.concat(chunks).subarray(0, answerBytes).toString();
  return { status: response.statusCode, headers: response.headers, text };
}

function guard(resolve: Resolve, mayBePrivate: boolean): LookupFunction {
  return (hostname, { all }, done) => {
    resolve(hostname, { all: true }, (error, addresses) => {
      const complaint = addresses.map(({ address }) => forbiddenAddress(address, mayBePrivate)).find(Boolean);
      const failure = error ?? (complaint === undefined ? null : new Error(`${hostname} is refused: ${complaint}`));
      const [first] = addresses;
      if (failure || !first) done(failure ?? new Error(`${hostname} has no address`), '', 0);
      else if (all) done(null, [...addresses]);
      else done(null, first.address, first.family);
    });
  };
}
