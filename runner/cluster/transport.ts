import { createHash } from 'node:crypto';
import { Agent, ProxyAgent, buildConnector } from 'undici';
import type { Dispatcher } from 'undici';
import type { TlsMaterial } from './access.ts';

/** Marks what failed before anything of the request was sent. The code is that of the cause. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly code: string | undefined;

  constructor(cause: Error & { readonly code?: unknown }) {
    super(cause.message, { cause });
    this.code = typeof cause.code === 'string' ? cause.code : undefined;
  }
}

export interface TransportOptions {
  readonly proxy?: string | undefined;
  /** Connections for short calls. Those for streams are not limited. */
  readonly connections: number;
}

interface Agents {
  /** The last material that was found to be the same, so that the next comparison is by identity. */
  tls: TlsMaterial;
  readonly key: string;
  /** A watch that is open for ever must not take the connection of a short call. */
  readonly calls: Dispatcher;
  readonly streams: Dispatcher;
}

const connectTimeoutMs = 10_000;
const idleConnectionMs = 30_000;

/**
 * Connections to one API server. HTTP/1.1 only: on one shared HTTP/2 connection a log that nobody reads stops the others.
 * When a certificate or key changes, new requests get new connections and the old ones end with their last request.
 */
export class Transport {
  readonly #options: TransportOptions;
  readonly #retired = new Set<Dispatcher>();
  #agents: Agents | undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  dispatcher(use: 'calls' | 'streams', tls: TlsMaterial): Dispatcher {
    return this.#agentsFor(tls)[use];
  }

  async close(): Promise<void> {
    const all = [...this.#retired, ...(this.#agents ? [this.#agents.calls, this.#agents.streams] : [])];
    await Promise.all(all.map((agent) => agent.destroy()));
  }

  #agentsFor(tls: TlsMaterial): Agents {
    const known = this.#agents;
    if (known?.tls === tls) return known;
    const key = fingerprint(tls);
    if (known?.key === key) {
      known.tls = tls;
      return known;
    }
    if (known) for (const agent of [known.calls, known.streams]) this.#retire(agent);
    const { connections, proxy } = this.#options;
    this.#agents = { tls, key, calls: createAgent(tls, proxy, connections), streams: createAgent(tls, proxy) };
    return this.#agents;
  }

  #retire(agent: Dispatcher): void {
    this.#retired.add(agent);
    const forget = (): unknown => this.#retired.delete(agent);
    void agent.close().then(forget, forget);
  }
}

/** undici's own time-outs are off: every request carries a signal that ends it. */
function createAgent(tls: TlsMaterial, proxy: string | undefined, connections?: number): Dispatcher {
  const options = {
    connections: connections ?? null,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: idleConnectionMs,
    keepAliveMaxTimeout: idleConnectionMs,
    allowH2: false,
  };
  if (proxy !== undefined) return new ProxyAgent({ ...options, uri: proxy, requestTls: { ...tls, allowH2: false } });
  const connect = buildConnector({ ...tls, allowH2: false, timeout: connectTimeoutMs });
  const marked: buildConnector.connector = (target, callback) => {
    connect(target, (...[error, socket]) => {
      if (error) callback(new ConnectError(error), null);
      else callback(null, socket);
    });
  };
  return new Agent({ ...options, connect: marked });
}

function fingerprint({ ca, cert, key, servername, rejectUnauthorized }: TlsMaterial): string {
  const hash = createHash('sha256');
  for (const part of [ca, cert, key, servername, String(rejectUnauthorized)]) hash.update(part ?? '').update('\0');
  return hash.digest('base64');
}
