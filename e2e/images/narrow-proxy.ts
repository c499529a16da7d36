import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A way to a server that ends in the middle of what is sent there. */
export class NarrowProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #stretches: number[];
  readonly #onEnd: 'cut' | 'stall';
  readonly #stalled = Promise.withResolvers<undefined>();
  /** Bytes that went to the server. */
  sent = 0;
  /** How often a stretch came to its end. */
  ends = 0;

  private constructor(targetPort: number, stretches: readonly number[], onEnd: 'cut' | 'stall') {
    this.#stretches = [...stretches];
    this.#onEnd = onEnd;
    this.#server = createServer((client) => this.#connect(client, createConnection(targetPort, '127.0.0.1')));
  }

  /** Each of `stretches` is how many bytes pass to the server until everything is cut, or stalls; after the last all pass. */
  static async open(
    targetPort: number,
    stretches: readonly number[],
    onEnd: 'cut' | 'stall' = 'cut',
  ): Promise<NarrowProxy> {
    const proxy = new NarrowProxy(targetPort, stretches, onEnd);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get host(): string {
    return `localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  get stalled(): Promise<unknown> {
    return this.#stalled.promise;
  }

  close(): void {
    this.#server.close();
    this.#cutAll();
  }

  #cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(client: Socket, server: Socket): void {
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    server.pipe(client);
    client.on('data', (chunk: Buffer) => this.#pass(chunk, client, server));
  }

  #pass(chunk: Buffer, client: Socket, server: Socket): void {
    this.sent += chunk.length;
    if (!server.write(chunk)) {
      client.pause();
      server.once('drain', () => client.resume());
    }
    const [left] = this.#stretches;
    if (left === undefined) return;
    this.#stretches[0] = left - chunk.length;
    if (left - chunk.length > 0) return;
    this.#stretches.shift();
    this.ends += 1;
    if (this.#onEnd === 'cut') this.#cutAll();
    else {
      client.removeAllListeners('data').pause();
      this.#stalled.resolve(undefined);
    }
  }
}
