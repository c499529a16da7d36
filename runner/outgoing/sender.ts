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
/** What is read of an answer to a message, in bytes; the rest is nobody's business. */
const answerBytes = 4_096;
/** What is read of one that was asked for. */
const askedBytes = 1_048_576;

/** Every address of a host; `dns.lookup` is one. */
export type Resolve = (
  hostname: string,
  options: { readonly all: true },
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** Speaks to configured hosts only. */
export interface Sender {
  send(message: Message, signal: AbortSignal): Promise<Answer>;
  /** What a GET answers with a status of 200; undefined for any other end. */
  ask(question: Omit<Message, 'body'>, signal: AbortSignal): Promise<string | undefined>;
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
  const exchange = async (wish: Wish, signal: AbortSignal): Promise<Response> => {
    const rules = await rulesNow();
    const target = URL.parse(wish.url);
    const complaint = target ? forbiddenUrl(target, rules) : 'it is no address';
    if (!target || complaint !== undefined) throw new Error(`${wish.url} is refused: ${complaint}`);
    const dnsLookup = guard(resolve, rules.privateHosts.includes(target.host));
    return exchangeOnce(target, wish, { signal, agent: agents, dnsLookup });
  };
  return {
    async send(message, signal) {
      try {
        return classifyResponse(await exchange({ ...message, mostBytes: answerBytes }, signal), clock());
      } catch (error) {
        return { kind: 'retry', reason: messageOf(error), ...(signal.aborted && { afterMs: 0 }) };
      }
    },

    async ask(question, signal) {
      const response = await exchange({ ...question, mostBytes: askedBytes }, signal).catch(() => undefined);
      return response?.status === 200 ? response.text : undefined;
    },

    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

type Response = Parameters<typeof classifyResponse>[0];

/** A POST where there is a body. */
interface Wish extends Omit<Message, 'body'> {
  readonly body?: string;
  readonly mostBytes: number;
}

interface Way {
  readonly signal: AbortSignal;
  readonly agent: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly dnsLookup: LookupFunction;
}

/** Sends once and reads the beginning of the answer. */
async function exchangeOnce(url: URL, { headers, body, mostBytes }: Wish, way: Way): Promise<Response> {
  const stream = got.stream(url, {
    ...way,
    headers,
    ...(body === undefined ? { method: 'GET', isStream: true } : { method: 'POST', isStream: true, body }),
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
    if (bytes >= mostBytes) break;
  }
  const { response } = stream;
  if (!response) throw new Error('it did not answer');
  const text = Buffer.concat(chunks).subarray(0, mostBytes).toString();
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
