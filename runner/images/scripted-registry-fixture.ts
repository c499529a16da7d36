import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';

export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Bytes of the body, as far as they came. */
  readonly bytes: number;
}

type Reply = (request: IncomingMessage, response: ServerResponse, body: Buffer) => unknown;

/** A registry for the faults that a real one cannot be brought to: to each request it does what the next reply says. */
export class ScriptedRegistry {
  readonly received: Received[] = [];
  readonly #script: Reply[];
  readonly #server: Server;

  private constructor(script: readonly Reply[]) {
    this.#script = [...script];
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** When the script is over, everything gets 418. */
  static async start(t: ExecutionContext, ...script: readonly Reply[]): Promise<ScriptedRegistry> {
    const registry = new ScriptedRegistry(script);
    await new Promise<void>((listening) => registry.#server.listen(0, '127.0.0.1', listening));
    t.teardown(() => {
      registry.#server.closeAllConnections();
      registry.#server.close();
    });
    return registry;
  }

  get host(): string {
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  }

  get asked(): readonly string[] {
    return this.received.map(({ method, path }) => `${method} ${path}`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = request;
    const reply = this.#script.shift() ?? answer(418);
    if (reply === cutBody) {
      cutAfterFirstBytes(request, (bytes) => this.received.push({ method, path, headers, bytes }));
      return;
    }
    const body = await buffer(request).catch(() => Buffer.alloc(0));
    this.received.push({ method, path, headers, bytes: body.length });
    reply(request, response, body);
  }
}

/** Takes some of a body, and breaks the connection. */
export const cutBody: Reply = () => undefined;

function cutAfterFirstBytes(request: IncomingMessage, done: (bytes: number) => void): void {
  request.once('data', (chunk: Buffer) => {
    done(chunk.length);
    request.socket.destroy();
  });
}

export function answer(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Buffer = '',
): Reply {
  return (_request, response) => response.writeHead(status, headers).end(body);
}

/** It did what was asked for, and nobody learns that. */
export const loseAnswer: Reply = (request) => request.socket.destroy();

/** It answers never. */
export const silent: Reply = () => undefined;
