import { request } from 'undici';
import type { Dispatcher } from 'undici';
import type { Clock } from '../model/clock.ts';
import type { Access, Credentials } from './access.ts';
import type { Call } from './call.ts';
import { breakdown, refusal } from './read-failure.ts';
import type { Transport } from './transport.ts';

export type AnswerBody = Dispatcher.ResponseData['body'];

export interface Sending {
  readonly use: 'calls' | 'streams';
  readonly signal: AbortSignal;
  /** How long the body may stand still while it is read; for ever unless told. */
  readonly bodyTimeoutMs?: number;
}

export interface SenderParts {
  /** Origin and path prefix, without a slash at the end. */
  readonly server: string;
  readonly credentials: Credentials;
  readonly transport: Transport;
  readonly userAgent: string;
  readonly clock: Clock;
}

/** Sends one request with the credentials of the moment. */
export class Sender {
  readonly #parts: SenderParts;
  #requests = 0;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  get requests(): number {
    return this.#requests;
  }

  /** The body of a good answer; ClusterError for any other. A 401 has the credentials renewed and is sent once more. */
  async send(call: Call, sending: Sending): Promise<AnswerBody> {
    const { credentials } = this.#parts;
    const access = await credentials.ask();
    const answer = await this.#exchange(call, access, sending);
    if (answer.statusCode !== 401) return await this.#bodyOf(call, answer);
    await answer.body.dump();
    credentials.reject(access);
    return await this.#bodyOf(call, await this.#exchange(call, await credentials.ask(), sending));
  }

  async #exchange(
    call: Call,
    access: Access,
    { use, signal, bodyTimeoutMs = 0 }: Sending,
  ): Promise<Dispatcher.ResponseData> {
    const { server, transport, userAgent } = this.#parts;
    signal.throwIfAborted();
    this.#requests += 1;
    try {
      return await request(server + call.path, {
        dispatcher: transport.dispatcher(use, access.tls),
        method: call.method,
        headers: {
          accept: 'application/json, */*',
          'user-agent': userAgent,
          ...(call.contentType === undefined ? {} : { 'content-type': call.contentType }),
          ...access.headers,
        },
        body: call.body ?? null,
        signal,
        bodyTimeout: bodyTimeoutMs,
      });
    } catch (error) {
      throw breakdown(call, error);
    }
  }

  /** A redirect is refused too: credentials go to the server that the kubeconfig names, and nowhere else. */
  async #bodyOf(call: Call, answer: Dispatcher.ResponseData): Promise<AnswerBody> {
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer.body;
    const header = answer.headers['retry-after'];
    const text = await readText(call, answer.body);
    const retryAfter = typeof header === 'string' ? header : undefined;
    throw refusal(call, { status: answer.statusCode, retryAfter, text }, this.#parts.clock());
  }
}

/** All of a body. A connection that breaks in the middle is an error and never a short text. */
export async function readText(call: Call, body: AnswerBody): Promise<string> {
  try {
    return await body.text();
  } catch (error) {
    throw breakdown(call, error);
  }
}
