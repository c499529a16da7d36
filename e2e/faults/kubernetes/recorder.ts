import { request } from 'node:https';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { kubectl } from '../../cluster/test-cluster.ts';
import type { SeenPod } from './check-cluster.ts';

interface PodObject {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly status?: { readonly containerStatuses?: readonly ContainerState[] };
}

interface ContainerState {
  readonly name: string;
  readonly state?: {
    readonly running?: { readonly startedAt: string };
    readonly terminated?: { readonly startedAt?: string; readonly finishedAt?: string; readonly exitCode: number };
  };
}

interface Line {
  readonly type: string;
  readonly object: PodObject;
}

/** A watch of the pods of one namespace with nothing of Sluice in it. It goes on where it was cut off and misses nothing. */
export class PodRecorder {
  readonly pods: SeenPod[] = [];
  readonly #path: string;
  readonly #server: Promise<RequestOptions>;
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;
  #version = '0';

  constructor(namespace: string) {
    this.#path = `/api/v1/namespaces/${namespace}/pods?watch=1&allowWatchBookmarks=true&resourceVersion=`;
    this.#server = serverOfKubectl();
    this.#ended = this.#watch();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ended;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#follow().catch(() => undefined);
      await sleep(50, undefined, { signal }).catch(() => undefined);
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    const options = { ...(await this.#server), path: this.#path + this.#version, signal };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request(options, resolve).once('error', reject).end();
    for await (const text of createInterface({ input: await promise })) this.#note(JSON.parse(text) as Line);
  }

  #note({ type, object }: Line): void {
    if (type === 'ERROR') throw new Error(`the history of pods has a gap: ${JSON.stringify(object)}`);
    this.#version = object.metadata.resourceVersion;
    const job = object.metadata.labels?.['batch.kubernetes.io/job-name'];
    if (type === 'BOOKMARK' || job === undefined) return;
    const { running, terminated } = object.status?.containerStatuses?.find(({ name }) => name === 'step')?.state ?? {};
    this.pods.push({
      at: Date.now(),
      uid: object.metadata.uid,
      job,
      gone: type === 'DELETED',
      startedAt: millis(terminated?.startedAt ?? running?.startedAt),
      finishedAt: millis(terminated?.finishedAt),
      exitCode: terminated?.exitCode,
    });
  }
}

function millis(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
  readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
}

async function serverOfKubectl(): Promise<RequestOptions> {
  const text = await kubectl(['config', 'view', '--raw', '--flatten', '--minify', '-o', 'json']);
  const { clusters, users } = JSON.parse(text) as Kubeconfig;
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  const { hostname, port } = new URL(cluster['server'] ?? '');
  const bytes = (data: string | undefined): Buffer => Buffer.from(data ?? '', 'base64');
  return {
    host: hostname,
    port: port || 443,
    ...{
      ca: bytes(cluster['certificate-authority-data']),
      cert: bytes(user['client-certificate-data']),
      key: bytes(user['client-key-data']),
    },
  };
}
