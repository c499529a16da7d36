import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import type { ExecutionContext } from 'ava';
import { connectCluster } from './connect.ts';
import type { ClusterClient } from './cluster-client.ts';
import type { ClientLimits } from './http-cluster-client.ts';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly socket: Socket;
  /** Subject of the client's certificate. */
  readonly subject: string | undefined;
}

/** What the server does with one request. */
export type Reply = (response: ServerResponse, received: Received) => unknown;

const certificate = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url));
export const serverCertificate = certificate('server.crt');
export const otherCertificate = certificate('other.crt');
export const serverKey = certificate('server.key');
export const otherKey = certificate('other.key');

/** An HTTPS server that does to each request what its script says next. When the script is over, requests wait for ever. */
export class ScriptedServer {
  readonly received: Received[] = [];
  readonly folder: string;
  readonly #script: Reply[] = [];
  readonly #server: Server;
  #waiting: (() => void)[] = [];

  private constructor(folder: string) {
    this.folder = folder;
    const options = { key: serverKey, cert: serverCertificate, requestCert: true, rejectUnauthorized: false };
    this.#server = createServer(options, (request, response) => void this.#receive(request, response));
  }

  static async start(t: ExecutionContext): Promise<ScriptedServer> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-cluster-'));
    const server = new ScriptedServer(folder);
    await server.listen();
    t.teardown(async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new TypeError('the server does not listen');
    return address.port;
  }

  /** Sees connections before a word of TLS is spoken. */
  onConnection(listener: (socket: Socket) => void): void {
    this.#server.prependListener('connection', listener);
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  script(...replies: readonly Reply[]): void {
    this.#script.push(...replies);
  }

  /** Waits until so many requests have come. */
  async seen(count: number): Promise<Received> {
    while (this.received.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const last = this.received[count - 1];
    if (!last) throw new TypeError('nothing was received');
    return last;
  }

  /** A file that names this server, its certificate and `user`. */
  async kubeconfig(
    user: Readonly<Record<string, unknown>> = { token: 'secret' },
    cluster: object = {},
  ): Promise<string> {
    const trust = { 'certificate-authority-data': serverCertificate.toString('base64') };
    const file = join(this.folder, `kubeconfig-${Math.random().toString(36).slice(2)}`);
    const config = {
      clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${this.port}`, ...trust, ...cluster } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    await writeFile(file, JSON.stringify(config));
    return file;
  }

  async connect(t: ExecutionContext, limits: Partial<ClientLimits> = {}): Promise<ClusterClient> {
    const client = await connectCluster({
      kubeconfig: await this.kubeconfig(),
      limits: { deadlineMs: 20_000, ...limits },
    });
    t.teardown(() => client.close());
    return client;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://server');
    const received: Received = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: await text(request),
      socket: request.socket,
      subject: subjectOf(request.socket),
    };
    this.received.push(received);
    for (const resolve of this.#waiting.splice(0)) resolve();
    await this.#script.shift()?.(response, received);
  }
}

export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Reply {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** A Status as the API server words it. */
export function status(
  code: number,
  reason: string,
  more: object = {},
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason,
    message: `it says ${reason}`,
    code,
    ...more,
  };
  return json(body, code, headers);
}

/** The connection ends without an answer. */
export const reset: Reply = (_response, { socket }) => socket.destroy();

/** An answer that promises more than it brings. */
export const cut =
  (part: string): Reply =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(part, () => setImmediate(() => response.socket?.destroy()));
  };

export function page(names: readonly string[], resourceVersion: string, token?: string): Reply {
  const metadata = { resourceVersion, ...(token === undefined ? {} : { continue: token }) };
  return json({ kind: 'ConfigMapList', apiVersion: 'v1', metadata, items: names.map((name) => named(name, '1')) });
}

export function named(name: string, resourceVersion: string, more: object = {}): object {
  return { metadata: { name, namespace: 'n', uid: `uid-${name}`, resourceVersion }, ...more };
}

export function line(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`;
}

/** A watch that says `lines`, and then ends, breaks or stays silent. */
export const watched =
  (lines: readonly string[], then: 'ends' | 'breaks' | 'is silent'): Reply =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    response.write(lines.join(''), () => {
      if (then === 'ends') response.end();
      if (then === 'breaks') setTimeout(() => response.socket?.destroy(), 20);
    });
  };

/** A client without a certificate has an empty one. */
function subjectOf(socket: Socket): string | undefined {
  const certificate: Partial<PeerCertificate> = socket instanceof TLSSocket ? socket.getPeerCertificate() : {};
  return certificate.subject?.CN?.toString();
}
