import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { apiPath } from '../../agent/protocol.ts';
import { messageOf, SluiceError } from '../../model/errors.ts';
import type { AgentDesk } from './agent-desk.ts';
import type { PodIdentity } from './pod-token.ts';
import { readAgentState, readWishQuestion } from './read-agent-words.ts';

export interface AgentServerOptions {
  readonly host: string;
  /** Rejects with ERR_USAGE unless the token is a pod's. */
  readonly verify: (token: string) => Promise<PodIdentity>;
  /** The desk of a Job for that pod; undefined when either is not known yet, 'over' when the attempt has ended. */
  readonly desk: (job: string, pod: PodIdentity) => AgentDesk | 'over' | undefined;
}

const maxJsonBytes = 8 * 1024 ** 2;
const maxLogBytes = 4 * 1024 ** 2;

/** Where agents reach the runner. Every request is of one pod, and reaches nothing but that pod's own attempt. */
export class AgentServer {
  readonly #options: AgentServerOptions;
  readonly #servers = new Map<number, Server>();
  readonly #closing = new AbortController();

  constructor(options: AgentServerOptions) {
    this.#options = options;
  }

  /**
   * Answers the port, which is 0 for any free one. Ports that pods of an earlier runner know are added to the first.
   * ERR_USAGE for one that somebody else has.
   */
  async listen(port: number): Promise<number> {
    if (this.#servers.has(port)) return port;
    const server = createServer((request, response) => void this.#serve(request, response));
    // A step may hand over gigabytes; each read and write has its own limits.
    server.requestTimeout = 0;
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, this.#options.host, resolve);
    }).catch((error: unknown) => {
      throw new SluiceError('ERR_USAGE', `Agents cannot be listened to on port ${port}: ${messageOf(error)}`, {
        hint: 'Give a free port as SLUICE_AGENT_PORT.',
        cause: error,
      });
    });
    const { port: taken } = server.address() as AddressInfo;
    this.#servers.set(taken, server);
    return taken;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const servers = [...this.#servers.values()];
    this.#servers.clear();
    const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const server of servers) server.closeAllConnections();
    await Promise.all(closed);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A connection that breaks is seen by whoever reads or writes; without a listener it would end the process.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      await this.#route(request, response);
    } catch (error) {
      const status = statusOf(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(status, { connection: 'close' }).end();
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://runner');
    const [job = '', what = '', digest = ''] = url.pathname.slice(apiPath.length + 1).split('/');
    if (!url.pathname.startsWith(`${apiPath}/`)) throw new HttpError(404);
    const desk = await this.#deskOf(job, request);
    switch (`${request.method ?? ''} ${what}`) {
      case 'POST wish':
        answer(response, await desk.answer(readWishQuestion(await readJson(request)), this.#untilGone(response)));
        return;
      case 'POST state':
        desk.hear(readAgentState(await readJson(request)));
        answer(response, {});
        return;
      case 'PUT log':
        answer(response, { offset: await this.#log(desk, url, request) });
        return;
      case 'PUT blobs':
        answer(response, await desk.store(request));
        return;
      case 'GET blobs':
        await sendBlob(desk, digest, response);
        return;
      default:
        throw new HttpError(404);
    }
  }

  async #deskOf(job: string, { headers }: IncomingMessage): Promise<AgentDesk> {
    const [, token] = /^Bearer (\S+)$/.exec(headers.authorization ?? '') ?? [];
    if (token === undefined) throw new HttpError(401);
    const pod = await this.#options.verify(token).catch((error: unknown) => {
      throw error instanceof SluiceError && error.code === 'ERR_USAGE' ? new HttpError(401) : error;
    });
    const desk = this.#options.desk(job, pod);
    if (desk === 'over') throw new HttpError(410);
    if (desk === undefined) throw new HttpError(503);
    return desk;
  }

  async #log(desk: AgentDesk, url: URL, request: IncomingMessage): Promise<number> {
    const offset = Number(url.searchParams.get('offset') ?? NaN);
    if (!Number.isSafeInteger(offset) || offset < 0) throw new HttpError(400);
    return desk.log(offset, await readBody(request, maxLogBytes));
  }

  /** Aborted when nobody waits for the answer any more. */
  #untilGone(response: ServerResponse): AbortSignal {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    return AbortSignal.any([gone.signal, this.#closing.signal]);
  }
}

function statusOf(error: unknown): number {
  if (error instanceof HttpError) return error.status;
  if (!(error instanceof SluiceError)) return 500;
  return error.code === 'ERR_USAGE' ? 400 : 503;
}

class HttpError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

async function sendBlob(desk: AgentDesk, sha256: string, response: ServerResponse): Promise<void> {
  const content = await desk.read(sha256).catch(notFound);
  if (content === undefined) throw new HttpError(404);
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  await pipeline(content, response);
}

/** A blob that is not there now never will be; everything else may pass. */
function notFound(error: unknown): undefined {
  if (!(error instanceof SluiceError && error.code === 'ERR_NOT_FOUND')) throw error;
}

function answer(response: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request, maxJsonBytes);
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new HttpError(400);
  }
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new HttpError(413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
