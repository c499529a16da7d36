import { request } from 'node:https';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { kubectl } from '../../cluster/test-cluster.ts';
import type { SeenPod } from './check-cluster.ts';
import { readStep } from './read-pod.ts';
import type { PodStatus } from './read-pod.ts';

interface PodObject {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  readonly status?: PodStatus;
}

interface Line {
  readonly type: string;
  readonly object: PodObject;
}

interface PodList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly PodObject[];
}

/**
 * A watch of the pods of one namespace with nothing of Sluice in it. It goes on where it was cut off; an API server that was
 * started again does not know of that place any more, and is asked for all that there is.
 */
export class PodRecorder {
  readonly pods: SeenPod[] = [];
  readonly #path: string;
  readonly #server: Promise<RequestOptions>;
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;
  readonly #present = new Map<string, PodObject>();
  #version: string | undefined;

  constructor(namespace: string) {
    this.#path = `/api/v1/namespaces/${namespace}/pods`;
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
    this.#version ??= await this.#list();
    const query = `?watch=1&allowWatchBookmarks=true&resourceVersion=${this.#version}`;
    for await (const text of createInterface({ input: await this.#ask(query) })) {
      const { type, object } = JSON.parse(text) as Line;
      if (type === 'ERROR') {
        this.#version = undefined;
        return;
      }
      this.#version = object.metadata.resourceVersion;
      if (type !== 'BOOKMARK') this.#note(object, type === 'DELETED');
    }
  }

  /** Answers the version that it is of. What was there before and is not in the list is gone. */
  async #list(): Promise<string> {
    const { items, metadata } = (await json(await this.#ask(''))) as PodList;
    const uids = new Set(items.map((pod) => pod.metadata.uid));
    for (const [uid, pod] of this.#present) if (!uids.has(uid)) this.#note(pod, true);
    for (const pod of items) this.#note(pod, false);
    return metadata.resourceVersion;
  }

  async #ask(query: string): Promise<IncomingMessage> {
    const options = { ...(await this.#server), path: this.#path + query, signal: this.#closing.signal };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request(options, resolve).once('error', reject).end();
    const response = await promise;
    if (response.statusCode === 200) return response;
    response.resume();
    throw new Error(`the API server answered ${response.statusCode ?? 0}`);
  }

  #note(pod: PodObject, gone: boolean): void {
    const { uid, labels, ownerReferences } = pod.metadata;
    if (gone) this.#present.delete(uid);
    else this.#present.set(uid, pod);
    const job = labels?.['batch.kubernetes.io/job-name'];
    if (job === undefined) return;
    this.pods.push({ at: Date.now(), uid, job, jobUid: ownerReferences?.[0]?.uid, gone, ...readStep(pod.status) });
  }
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
