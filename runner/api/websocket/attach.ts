import type { IncomingMessage, Server } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { Session } from './session.ts';
import type { SessionDependencies } from './session.ts';

export interface SocketOptions extends SessionDependencies {
  /** Pages of these origins may connect; a client that is no browser sends none. */
  readonly origins: readonly string[];
}

const path = '/v1/websocket';
const protocol = 'sluice.v1';
const maxFrameBytes = 262_144;
const mostConnections = 1_000;
const helloMs = 10_000;
const heartbeatMs = 15_000;

/** Answers WebSocket connections at `/v1/websocket` of a server. `close` tells all clients and waits for their sessions. */
export function attachWebSocket(server: Server, options: SocketOptions): { close(): Promise<void> } {
  const closing = new AbortController();
  const sessions = new Set<Promise<void>>();
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    const refusal = refusalOf(request, options.origins, sockets.clients.size, closing.signal.aborted);
    if (refusal !== undefined) {
      refuse(socket, refusal);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      const session = serve(client, options, closing.signal).finally(() => sessions.delete(session));
      sessions.add(session);
    });
  });
  return {
    close: async () => {
      closing.abort();
      for (const client of sockets.clients) client.close(1001, 'the server ends; connect again');
      await Promise.all(sessions);
      for (const client of sockets.clients) client.terminate();
      sockets.close();
    },
  };
}

async function serve(client: WebSocket, options: SocketOptions, closing: AbortSignal): Promise<void> {
  const left = new AbortController();
  const session = new Session(options, {
    send: (text) => client.send(text, () => undefined),
    get waitingBytes() {
      return client.bufferedAmount;
    },
    close: (code, reason) => client.close(code, reason),
  });
  client.on('error', () => undefined);
  client.on('close', () => left.abort());
  client.on('message', (data: Buffer, isBinary) => {
    if (isBinary) session.end(1003, 'messages are text frames');
    else session.receive(data.toString('utf8'));
  });
  const stranger = setTimeout(() => session.isKnown || session.end(4401, 'nobody said hello in time'), helloMs);
  const heartbeat = keepAlive(client);
  await session.run(AbortSignal.any([left.signal, closing]));
  clearTimeout(stranger);
  clearInterval(heartbeat);
}

/** A connection that answers no ping is dead, whatever TCP thinks of it. */
function keepAlive(client: WebSocket): NodeJS.Timeout {
  let alive = true;
  client.on('pong', () => (alive = true));
  return setInterval(() => {
    if (!alive) {
      client.terminate();
      return;
    }
    alive = false;
    client.ping();
  }, heartbeatMs);
}

/** Pages of other sites could connect with what a browser knows of its user (trust.md, A13). */
function refusalOf(
  { url = '', headers: { origin } }: IncomingMessage,
  origins: readonly string[],
  connections: number,
  closing: boolean,
): number | undefined {
  if (url.split('?')[0] !== path) return 404;
  if (origin !== undefined && !origins.includes(origin)) return 403;
  return closing || connections >= mostConnections ? 503 : undefined;
}

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
