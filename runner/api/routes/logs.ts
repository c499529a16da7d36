import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Type } from 'typebox';
import { SluiceError } from '../../model/errors.ts';
import type { AttemptKey, LogSeal } from '../../model/result.ts';
import type { StoredEvent } from '../../model/run-event.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { rangeOf } from '../byte-range.ts';
import { notFound } from '../problem.ts';
import { route } from '../route.ts';
import type { Call, Route } from '../route.ts';
import { attemptParams, ref } from '../schemas.ts';
import { nothing, sendChunks, sendMessages } from '../stream.ts';
import type { Message } from '../stream.ts';

const closed = { additionalProperties: false };
/** So much of a log is read at a time, so that many readers of long logs need little memory. */
const readBytes = 262_144;
const newline = 0x0a;
const text = 'text/plain; charset=utf-8';
const access = { verb: 'read-runs', on: 'run' } as const;

export function logRoutes(api: ApiDependencies, closing: AbortSignal): readonly Route[] {
  const { logs } = api;
  return [
    route({
      method: 'GET',
      path: '/v1/runs/{runId}/steps/{step}/attempts/{attempt}/log',
      id: 'read-log',
      summary: 'The log of an attempt as it was written, secrets masked',
      description: 'A `range` header takes a part of it. With `follow` the answer goes on until the attempt has ended.',
      tag: 'logs',
      access,
      raw: true,
      params: attemptParams,
      query: Type.Object({ follow: Type.Optional(Type.Boolean({ default: false })) }, closed),
      answers: {
        200: { description: 'The bytes.', type: 'text/plain' },
        206: { description: 'A part of them.', type: 'text/plain' },
      },
      handle: async (call) => {
        const log = await logOf(call, api);
        call.reply.type(text);
        if (!call.query.follow) return sendPart(call, log, logs);
        const follower = new LogFollower(api, log, 0);
        return sendChunks(call, closing, () => follower.next(), { text: (chunk: Buffer) => chunk });
      },
    }),
    ...logForms(api, closing),
  ];
}

function logForms(api: ApiDependencies, closing: AbortSignal): readonly Route[] {
  const { logs } = api;
  return [
    route({
      method: 'GET',
      path: '/v1/runs/{runId}/steps/{step}/attempts/{attempt}/log/lines',
      id: 'read-log-lines',
      summary: 'The log of an attempt, a JSON document per line',
      tag: 'logs',
      access,
      raw: true,
      params: attemptParams,
      answers: {
        200: {
          description: 'Lines with the time at which each came.',
          type: 'application/x-ndjson',
          schema: ref('logLine'),
        },
      },
      handle: async (call) => {
        const log = await logOf(call, api);
        call.reply.type('application/x-ndjson');
        return call.request.method === 'HEAD' ? nothing() : Readable.from(jsonLines(log, logs), { objectMode: false });
      },
    }),
    route({
      method: 'GET',
      path: '/v1/runs/{runId}/steps/{step}/attempts/{attempt}/log/events',
      id: 'follow-log',
      summary: 'The log of an attempt as server-sent events',
      description: 'The id of an event is the byte behind it: `last-event-id` goes on from there. `end` comes last.',
      tag: 'logs',
      access,
      raw: true,
      params: attemptParams,
      headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })) }),
      answers: { 200: { description: 'Events `log` with `text`, and `end`.', type: 'text/event-stream' } },
      handle: async (call) => {
        const start = Number(call.request.headers['last-event-id'] ?? 0);
        return sendMessages(call, closing, logMessages(new LogFollower(api, await logOf(call, api), start), start));
      },
    }),
  ];
}

interface Log {
  readonly key: AttemptKey;
  /** Of the run, when it was looked at. */
  readonly version: number;
  readonly ended: boolean;
  readonly seal?: LogSeal;
}

async function logOf({ run, params }: Call, { engine }: ApiDependencies): Promise<Log> {
  const { step, attempt } = params as { readonly step: string; readonly attempt: number };
  const state = await engine.state(run.runId);
  const found = state.steps.get(step)?.attempts[attempt - 1];
  if (!found) throw notFound();
  const seal = found.result?.log;
  return {
    key: { runId: run.runId, step, attempt },
    version: state.version,
    ended: found.finishedAt !== undefined,
    ...(seal && { seal }),
  };
}

async function sendPart(call: Call, { key, seal }: Log, logs: ApiDependencies['logs']): Promise<unknown> {
  const { request, reply } = call;
  const isHead = request.method === 'HEAD';
  if (seal === undefined) return isHead ? nothing() : await orEmpty(logs.read(key));
  reply.header('accept-ranges', 'bytes');
  const range = rangeOf(request.headers.range, seal.bytes);
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end - 1}/${seal.bytes}`);
  const { start, end } = range ?? { start: 0, end: seal.bytes };
  reply.header('content-length', end - start);
  return isHead ? nothing() : logs.read(key, { start, end }, seal);
}

async function* jsonLines({ key, seal }: Log, logs: ApiDependencies['logs']): AsyncGenerator<string> {
  const { step, attempt } = key;
  try {
    for await (const { at, bytes } of logs.lines(key, seal)) {
      yield `${JSON.stringify({ step, attempt, at, text: Buffer.from(bytes).toString('utf8') })}\n`;
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** What an attempt writes, as it grows. */
class LogFollower {
  readonly #api: Pick<ApiDependencies, 'store' | 'logs'>;
  readonly #key: AttemptKey;
  #offset: number;
  #version: number;
  #changes: number | undefined;
  #ended: boolean;
  #seal: LogSeal | undefined;

  constructor(api: Pick<ApiDependencies, 'store' | 'logs'>, { key, version, ended, seal }: Log, offset: number) {
    this.#api = api;
    this.#key = key;
    this.#version = version;
    this.#ended = ended;
    this.#seal = seal;
    this.#offset = offset;
  }

  /** The bytes behind those before; undefined once there will be no more. */
  async next(): Promise<readonly Buffer[] | undefined> {
    // Asked before the bytes are read: what was written before the end is all there is.
    const ended = await this.#hasEnded();
    const range = { start: this.#offset, end: this.#offset + readBytes };
    const chunk = await buffer(await orEmpty(this.#api.logs.read(this.#key, range, this.#seal)));
    this.#offset += chunk.length;
    if (chunk.length > 0) return [chunk];
    return ended ? undefined : [];
  }

  async #hasEnded(): Promise<boolean> {
    const changes = await this.#api.store.changes();
    if (this.#ended || changes === this.#changes) return this.#ended;
    this.#changes = changes;
    for (const event of await this.#api.store.events(this.#key.runId, this.#version)) {
      this.#version = event.version;
      if (!endsAttempt(event, this.#key)) continue;
      this.#ended = true;
      if (event.type === 'attempt-finished') this.#seal = event.result.log;
    }
    return this.#ended;
  }
}

function endsAttempt(event: StoredEvent, { step, attempt }: AttemptKey): boolean {
  if (event.type === 'run-finished') return true;
  return event.type === 'attempt-finished' && event.step === step && event.attempt === attempt;
}

/** Whole lines; the last may lack its end. */
function logMessages(follower: LogFollower, start: number): () => Promise<readonly Message[] | undefined> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = start;
  let over = false;
  const message = (bytes: Buffer): Message => {
    offset += bytes.length;
    return { id: String(offset), event: 'log', data: { text: bytes.toString('utf8') } };
  };
  return async () => {
    if (over) return undefined;
    const chunks = await follower.next();
    if (!chunks) {
      over = true;
      const last = rest.length > 0 ? [message(rest)] : [];
      return [...last, { id: String(offset), event: 'end', data: { bytes: offset } }];
    }
    const bytes = Buffer.concat([rest, ...chunks]);
    // A line that never ends must not fill the memory.
    const end = bytes.length > readBytes ? bytes.length : bytes.lastIndexOf(newline) + 1;
    rest = bytes.subarray(end);
    return end === 0 ? [] : [message(bytes.subarray(0, end))];
  };
}

/** An attempt that has begun may have no log yet. */
async function orEmpty(content: Promise<Readable>): Promise<Readable> {
  try {
    return await content;
  } catch (error) {
    if (isMissing(error)) return nothing();
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'ERR_NOT_FOUND';
}
