import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Act = (response: ServerResponse, request: IncomingMessage) => void;

/** Somebody outside: answers by its script, 200 once that is over, and keeps what it got. */
export class ScriptedReceiver {
  readonly received: Received[] = [];
  readonly #script: Act[];
  readonly #server: Server;

  private constructor(script: readonly Act[]) {
    this.#script = [...script];
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(t: ExecutionContext, script: readonly Act[] = [], port = 0): Promise<ScriptedReceiver> {
    const receiver = new ScriptedReceiver(script);
    await new Promise<void>((started) => receiver.#server.listen(port, '127.0.0.1', started));
    t.teardown(() => receiver.stop());
    return receiver;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.received.push({ path: request.url ?? '', headers: request.headers, body: await text(request) });
    const act = this.#script.shift() ?? answer(200);
    act(response, request);
  }
}

export function answer(status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Act {
  return (response) => response.writeHead(status, headers).end(body);
}

/** It took the request, and nobody learns that. */
export const loseAnswer: Act = (_, request) => request.socket.destroy();
