import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import type { Call } from './route.ts';

const pollMs = 250;
const heartbeatMs = 15_000;
const permissionMs = 2_000;

/** What ends a long answer: the server that closes, or the reader that leaves. */
function endOf(request: FastifyRequest, closing: AbortSignal): AbortSignal {
  const left = new AbortController();
  request.raw.socket.once('close', () => left.abort());
  return AbortSignal.any([closing, left.signal]);
}

/** A message of a stream of events as browsers read it; `id` is where to go on. */
export interface Message {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** Sends messages as they come, and a comment now and then so that nobody on the way takes silence for death. */
export function sendMessages(call: Call, closing: AbortSignal, messages: Ticks<Message>): unknown {
  call.reply
    .type('text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no');
  return sendChunks(call, closing, messages, {
    text: ({ id, event, data }) => `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
    first: 'retry: 1000\n\n',
    idle: ': still here\n\n',
  });
}

/** For HEAD: a stream, so that the headers of the whole stay as they are. */
export function nothing(): Readable {
  return Readable.from([], { objectMode: false });
}

/** What has come since it was asked last; undefined when nothing more will. */
export type Ticks<Item> = () => Promise<readonly Item[] | undefined>;

interface Form<Item> {
  readonly text: (item: Item) => string | Uint8Array;
  readonly first?: string;
  readonly idle?: string;
}

/** Asks again and again while the asker may know. A reader that is slow is not asked for. */
export function sendChunks<Item>(call: Call, closing: AbortSignal, next: Ticks<Item>, form: Form<Item>): unknown {
  if (call.request.method === 'HEAD') return nothing();
  const signal = endOf(call.request, closing);
  return Readable.from(chunks(call, signal, next, form), { objectMode: false });
}

async function* chunks<Item>(call: Call, signal: AbortSignal, next: Ticks<Item>, { text, first, idle }: Form<Item>) {
  if (first !== undefined) yield first;
  let spoken = performance.now();
  let allowed = spoken;
  while (!signal.aborted) {
    if (performance.now() - allowed > permissionMs) {
      if (!(await call.stillAllowed())) return;
      allowed = performance.now();
    }
    const items = await next();
    if (!items) return;
    for (const item of items) yield text(item);
    if (items.length > 0) spoken = performance.now();
    else if (idle !== undefined && performance.now() - spoken > heartbeatMs) {
      yield idle;
      spoken = performance.now();
    }
    // Rejects only when the signal comes, which the loop looks at.
    if (items.length === 0) await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
}
