import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/**
 * What happens to connections through the proxy: all passes; requests pass and answers are lost; nothing passes and nobody is
 * told (a cable that is cut); everything is refused and broken off.
 */
export type ProxyMode = 'pass' | 'mute' | 'silent' | 'refuse';

/** A way to a server that can fail. */
export class TcpProxy {
  readonly #server: Server;
  #target: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #mode: ProxyMode = 'pass';

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer((client) => this.#connect(client));
  }

  /** Listens on all addresses: pods use it too. */
  static async open(host: string, port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy({ host, port });
    await new Promise<void>((resolve) => proxy.#server.listen(0, resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that were mute or silent stay so: their bytes are lost. */
  set(mode: ProxyMode): void {
    this.#mode = mode;
    if (mode === 'refuse') this.#breakAll();
    if (mode === 'silent') for (const [client, server] of this.#pairs) client.unpipe(server);
    if (mode !== 'pass') for (const [client, server] of this.#pairs) server.unpipe(client).resume();
  }

  /** Where new connections go: a server that was started anew listens elsewhere. */
  aim(port: number): void {
    this.#target = { ...this.#target, port };
  }

  close(): void {
    this.#server.close();
    this.#breakAll();
  }

  #breakAll(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  #connect(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#mode === 'refuse') return void client.destroy();
    const server = createConnection(this.#target);
    server.on('error', () => undefined);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    for (const socket of pair) socket.once('close', () => this.#part(pair));
    if (this.#mode !== 'silent') client.pipe(server);
    if (this.#mode === 'pass') server.pipe(client);
  }

  #part(pair: readonly [Socket, Socket]): void {
    this.#pairs.delete(pair);
    for (const socket of pair) socket.destroy();
  }
}
