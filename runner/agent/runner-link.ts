import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError, messageOf } from '../model/errors.ts';
import type { BlobAccess } from '../workspace/blob-access.ts';
import { apiPath, holdMs } from './protocol.ts';
import type { AgentState, BlobAnswer, LogAnswer, Wish, WishQuestion } from './protocol.ts';

export interface LinkOptions {
  /** Where the runner listens, without a path. */
  readonly url: string;
  readonly job: string;
  /** Holds the pod's token; read anew for each call, since the kubelet replaces it. */
  readonly tokenFile: string;
}

interface Call {
  readonly method: 'POST' | 'PUT' | 'GET';
  readonly path: string;
  readonly body?: Uint8Array | Readable;
  readonly timeoutMs?: number;
}

const answerMs = 30_000;
const shortestPauseMs = 50;
const longestPauseMs = 5_000;

/** The runner says that this attempt is over: there is nobody to work for any more. */
export class Dismissed extends Error {}

/** The runner as the agent reaches it. Calls are repeated until they are answered, for as long as the pod lives. */
export class RunnerLink {
  readonly #base: URL;
  readonly #tokenFile: string;
  readonly #http: Pick<typeof http, 'Agent' | 'request'>;
  readonly #agent: http.Agent;

  constructor({ url, job, tokenFile }: LinkOptions) {
    this.#base = new URL(`${apiPath}/${job}/`, url);
    this.#tokenFile = tokenFile;
    // Loading TLS is a third of the start of an agent, and there is one for every step.
    this.#http = this.#base.protocol === 'https:' ? process.getBuiltinModule('node:https') : http;
    this.#agent = new this.#http.Agent({ keepAlive: true, maxSockets: 8 });
  }

  async wish(question: WishQuestion, signal: AbortSignal): Promise<Wish> {
    const call = { method: 'POST', path: 'wish', body: json(question), timeoutMs: holdMs + answerMs } as const;
    return (await this.#untilAnswered(call, signal)) as Wish;
  }

  async state(state: AgentState, signal: AbortSignal): Promise<void> {
    await this.#untilAnswered({ method: 'POST', path: 'state', body: json(state) }, signal);
  }

  /** Answers the offset up to which the output is stored. */
  async log(offset: number, bytes: Uint8Array): Promise<number> {
    const answer = await this.#untilAnswered({ method: 'PUT', path: `log?offset=${offset}`, body: bytes });
    return (answer as LogAnswer).offset;
  }

  /** Content by digest, at the runner. A call that fails rejects with ERR_SOURCE and can be made again. */
  get blobs(): BlobAccess {
    return {
      open: async (sha256) => verified(await this.#call({ method: 'GET', path: `blobs/${sha256}` }), sha256),
      put: async (content) => {
        const own = createHash('sha256');
        const body = content.pipe(hashing(own));
        let broken: Error | undefined;
        content.once('error', (error) => body.destroy((broken = error)));
        const answer = (await this.#answer({ method: 'PUT', path: 'blobs', body }).catch((error: unknown) => {
          // What is wrong with the content is no fault of the way.
          throw broken ?? error;
        })) as BlobAnswer;
        if (answer.sha256 === own.digest('hex')) return answer;
        throw new SluiceError('ERR_SOURCE', 'the runner stored other bytes than were sent');
      },
    };
  }

  close(): void {
    this.#agent.destroy();
  }

  async #untilAnswered(call: Call, signal?: AbortSignal): Promise<unknown> {
    for (let pause = shortestPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
      try {
        return await this.#answer(call, signal);
      } catch (error) {
        if (error instanceof Dismissed || signal?.aborted === true) throw error;
        await sleep(pause * (0.5 + Math.random()), undefined, signal === undefined ? {} : { signal });
      }
    }
  }

  async #answer(call: Call, signal?: AbortSignal): Promise<unknown> {
    return JSON.parse((await buffer(await this.#call(call, signal))).toString());
  }

  /** The response to one call; rejects with ERR_NOT_FOUND for 404, Dismissed for 410, ERR_SOURCE for everything else. */
  async #call({ method, path, body, timeoutMs = answerMs }: Call, signal?: AbortSignal): Promise<http.IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const authorization = `Bearer ${readFileSync(this.#tokenFile, 'utf8').trim()}`;
    const length = body instanceof Uint8Array ? { 'content-length': body.length } : {};
    const options = { method, agent: this.#agent, headers: { authorization, ...length }, ...(signal && { signal }) };
    const request = this.#http.request(new URL(path, this.#base), options, resolve);
    request.setTimeout(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.once('error', reject);
    if (body instanceof Readable) pipeline(body, request).catch(reject);
    else request.end(body);
    const response = await promise.catch((error: unknown) => {
      throw new SluiceError('ERR_SOURCE', `the runner cannot be reached: ${messageOf(error)}`, { cause: error });
    });
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    response.resume();
    if (status === 410) throw new Dismissed();
    throw new SluiceError(status === 404 ? 'ERR_NOT_FOUND' : 'ERR_SOURCE', `the runner answered ${status}`);
  }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function hashing(hash: ReturnType<typeof createHash>): Transform {
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

/** The same bytes; the stream ends with ERR_CORRUPT when they are not what the digest says. */
function verified(content: Readable, sha256: string): Readable {
  const hash = createHash('sha256');
  const check = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const fits = hash.digest('hex') === sha256;
      done(fits ? null : new SluiceError('ERR_CORRUPT', `The bytes of blob ${sha256} do not match its digest.`));
    },
  });
  content.once('error', (error) => check.destroy(error));
  content.once('aborted', () => check.destroy(new SluiceError('ERR_SOURCE', 'the runner cut the content off')));
  return content.pipe(check);
}
