import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { messageOf } from '../../model/errors.ts';
import { releaseHeader } from '../release-header.ts';
import type { App } from './app.ts';

/** Where a request goes. */
export interface Target {
  readonly release: string;
  readonly app: Pick<App, 'port' | 'open'>;
}

/** Asked anew for each request, so that traffic is moved between two requests and never within one. */
export type FindTarget = (host: string) => Target | undefined;

/** They speak of one connection, and not of what goes over it (RFC 9110 §7.6.1). */
const ofConnection = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** A reverse proxy on the loopback address. Connections of clients stay open, whichever release answers. */
export class Gateway {
  readonly #find: FindTarget;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #servers: Server[] = [];

  constructor(find: FindTarget) {
    this.#find = find;
  }

  /**
   * Listens at a port, or at another when somebody else has that one, and answers which. With `host` everything that comes there is for that host, whatever
   * name it was called by: many machines do not know names that end in `.localhost`.
   */
  async listen(wanted: number, host?: string): Promise<number> {
    const nameOf = ({ headers }: IncomingMessage): string => host ?? headers.host?.replace(/:\d+$/, '') ?? '';
    const server = createServer((incoming, outgoing) => this.#forward(incoming, outgoing, nameOf(incoming)));
    // A long download is no fault; who is slow with headers still is cut off.
    server.requestTimeout = 0;
    server.on('upgrade', (incoming, socket, head) => this.#tunnel(incoming, socket, head, nameOf(incoming)));
    this.#servers.push(server);
    return (await tryToListen(server, wanted)) ?? (await tryToListen(server, 0)) ?? 0;
  }

  /** Listens at a port no more. */
  async leave(port: number): Promise<void> {
    const isThere = (server: Server): boolean => (server.address() as AddressInfo | null)?.port === port;
    const index = this.#servers.findIndex(isThere);
    if (index !== -1) await Promise.all(this.#servers.splice(index, 1).map(closeServer));
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    await Promise.all(this.#servers.splice(0).map(closeServer));
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse, host: string): void {
    const target = this.#find(host);
    if (target === undefined) {
      refuse(outgoing, 404, `no environment has the name ${host}, or no release is live there`);
      return;
    }
    outgoing.once('close', target.app.open());
    const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
    const hasBody = encoding !== undefined || (length !== undefined && length !== '0');
    this.#send({ incoming, outgoing, target, hasBody }, !hasBody);
  }

  /** Only what can be sent twice goes over a connection that was kept open: the app may be closing it just now. */
  #send(exchange: Exchange, mayReuse: boolean): void {
    const { incoming, outgoing, target, hasBody } = exchange;
    const { method, url: path } = incoming;
    const at = { host: '127.0.0.1', port: target.app.port, agent: mayReuse ? this.#agent : false };
    const upstream = request({ ...at, method, path, headers: forwarded(incoming) });
    upstream.once('response', (answer) => {
      const headers = { ...endToEnd(answer.headers), [releaseHeader]: target.release };
      outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
      pipeline(answer, outgoing, () => undefined);
    });
    upstream.once('error', (error) => {
      if (outgoing.headersSent || outgoing.destroyed) outgoing.destroy();
      else if (upstream.reusedSocket && mayReuse) this.#send(exchange, false);
      else refuse(outgoing, 502, `${target.release} does not answer: ${messageOf(error)}`);
    });
    outgoing.once('close', () => upstream.destroy());
    if (hasBody) pipeline(incoming, upstream, () => undefined);
    else upstream.end();
  }

  /** A connection that becomes one of another protocol, such as WebSocket. */
  #tunnel(incoming: IncomingMessage, socket: Duplex, head: Buffer, host: string): void {
    const target = this.#find(host);
    const port = target?.app.port;
    socket.on('error', () => undefined);
    if (target === undefined || port === undefined) {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
      return;
    }
    const app = connect({ host: '127.0.0.1', port }, () => {
      const lines = pairs(incoming.rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
      app.write(`${incoming.method ?? 'GET'} ${incoming.url ?? '/'} HTTP/1.1\r\n${lines.join('')}\r\n`);
      app.write(head);
      pipeline(socket, app, () => undefined);
      pipeline(app, socket, () => undefined);
    });
    const done = target.app.open();
    app.once('close', () => {
      done();
      socket.destroy();
    });
    app.on('error', () => undefined);
  }
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly target: Target;
  readonly hasBody: boolean;
}

function forwarded({ headers, socket }: IncomingMessage): OutgoingHttpHeaders {
  const length = headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' };
  return {
    ...endToEnd(headers),
    ...length,
    'x-forwarded-for': socket.remoteAddress,
    'x-forwarded-host': headers.host,
    'x-forwarded-proto': 'http',
  };
}

function endToEnd(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const named = String(headers.connection ?? '').toLowerCase();
  const dropped = new Set([...ofConnection, ...named.split(',').map((name) => name.trim())]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}

function pairs(raw: readonly string[]): readonly (readonly [string, string])[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []));
}

function refuse(outgoing: ServerResponse, status: number, why: string): void {
  outgoing.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`sluice: ${why}\n`);
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

/** The port that it listens at; undefined when somebody else has it. */
async function tryToListen(server: Server, port: number): Promise<number | undefined> {
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
