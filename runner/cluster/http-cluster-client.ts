import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { Json } from '../model/json.ts';
import { Patience, aborted } from './abort.ts';
import { withQuery } from './call.ts';
import type { Call, Query } from './call.ts';
import type {
  ApplyOptions,
  CallOptions,
  ClusterClient,
  DeleteOptions,
  Listing,
  LogOptions,
  Place,
  Selection,
  Watch,
  WatchOptions,
} from './cluster-client.ts';
import { failedWith } from './cluster-error.ts';
import type { ClusterError } from './cluster-error.ts';
import type { Draft, KubernetesObject } from './objects.ts';
import { listPages } from './list-pages.ts';
import type { Page } from './list-pages.ts';
import { openLog } from './open-log.ts';
import { parseJson, readList, readObject } from './read-object.ts';
import { breakdown, lateness } from './read-failure.ts';
import { mayRepeat, waitBefore } from './repeat.ts';
import { Reflector } from './reflector.ts';
import { pathOf } from './resources.ts';
import type { Resource } from './resources.ts';
import { readText } from './sender.ts';
import type { Sender } from './sender.ts';
import type { Transport } from './transport.ts';

export interface ClientLimits {
  /** Short calls under way at once. */
  readonly concurrency: number;
  /** Short calls begun in a second, repetitions included. */
  readonly perSecond: number;
  readonly deadlineMs: number;
  readonly pageSize: number;
  /** How long a watch may say nothing, not even a bookmark, before its connection is taken for dead. */
  readonly silenceMs: number;
}

export class HttpClusterClient implements ClusterClient {
  readonly namespace: string;
  readonly #sender: Sender;
  readonly #transport: Transport;
  readonly #limits: ClientLimits;
  readonly #queue: PQueue;
  readonly #closing = new AbortController();

  constructor(sender: Sender, transport: Transport, { namespace, ...limits }: ClientLimits & { namespace: string }) {
    this.namespace = namespace;
    this.#sender = sender;
    this.#transport = transport;
    this.#limits = limits;
    const { concurrency, perSecond } = limits;
    this.#queue = new PQueue({ concurrency, interval: 1_000, intervalCap: perSecond });
  }

  get requests(): number {
    return this.#sender.requests;
  }

  async get<T extends KubernetesObject>(resource: Resource<T>, at: Place, options: CallOptions = {}): Promise<T> {
    const call: Call = { method: 'GET', path: pathOf(resource, at), title: titleOf('get', resource, at) };
    return readObject(resource, call, await this.#run(call, options));
  }

  async list<T extends KubernetesObject>(
    resource: Resource<T>,
    at: Selection,
    options: CallOptions = {},
  ): Promise<Listing<T>> {
    const { namespace, ...selectors } = at;
    const read = async (query: Query): Promise<Page<T>> => {
      const path = withQuery(pathOf(resource, { namespace }), { ...selectors, ...query });
      const call: Call = { method: 'GET', path, title: titleOf('list', resource, at) };
      return readList(resource, call, await this.#run(call, options));
    };
    return await listPages(read, this.#limits.pageSize);
  }

  async create<T extends KubernetesObject>(
    resource: Resource<T>,
    at: { readonly namespace?: string },
    body: Draft<T>,
    options: CallOptions = {},
  ): Promise<T> {
    const call: Call = {
      method: 'POST',
      path: pathOf(resource, at),
      title: titleOf('create', resource, { ...at, name: body.metadata.name }),
      body: serialize(resource, body),
      contentType: 'application/json',
    };
    return readObject(resource, call, await this.#run(call, options));
  }

  async apply<T extends KubernetesObject>(
    resource: Resource<T>,
    at: Place,
    body: Draft<T>,
    options: ApplyOptions,
  ): Promise<T> {
    const { fieldManager, force, dryRun } = options;
    const call: Call = {
      method: 'PATCH',
      path: withQuery(pathOf(resource, at), { fieldManager, force, dryRun: dryRun === true ? 'All' : undefined }),
      title: titleOf('apply', resource, at),
      body: serialize(resource, body),
      contentType: 'application/apply-patch+yaml',
    };
    return readObject(resource, call, await this.#run(call, options));
  }

  async patch<T extends KubernetesObject>(
    resource: Resource<T>,
    at: Place,
    patch: Json,
    options: CallOptions = {},
  ): Promise<T> {
    return await this.#merge(resource, at, patch, options);
  }

  async patchStatus<T extends KubernetesObject>(
    resource: Resource<T>,
    at: Place,
    patch: Json,
    options: CallOptions = {},
  ): Promise<T> {
    return await this.#merge(resource, { ...at, part: 'status' }, patch, options);
  }

  async delete(resource: Resource<KubernetesObject>, at: Place, options: DeleteOptions = {}): Promise<boolean> {
    const { propagation = 'Background', graceSeconds, uid, resourceVersion } = options;
    const call: Call = {
      method: 'DELETE',
      path: pathOf(resource, at),
      title: titleOf('delete', resource, at),
      contentType: 'application/json',
      body: JSON.stringify({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: propagation,
        gracePeriodSeconds: graceSeconds,
        preconditions: { uid, resourceVersion },
      }),
    };
    try {
      await this.#run(call, options);
      return true;
    } catch (error) {
      // With a uid as the only precondition, a conflict says that another object has the name by now.
      const isAnother = uid !== undefined && resourceVersion === undefined && failedWith(error, 'Conflict');
      if (failedWith(error, 'NotFound') || isAnother) return false;
      throw error;
    }
  }

  watch<T extends KubernetesObject>(resource: Resource<T>, at: Selection, options: WatchOptions): Watch<T> {
    const call: Call = { method: 'GET', path: pathOf(resource, at), title: titleOf('watch', resource, at) };
    const { labelSelector, fieldSelector } = at;
    return new Reflector<T>({
      list: (signal) => this.list(resource, at, { signal }),
      open: (query, signal) => {
        const path = withQuery(call.path, { ...query, labelSelector, fieldSelector });
        return this.#sender.send({ ...call, path }, { use: 'streams', signal });
      },
      resource,
      call,
      signals: [options.signal, this.#closing.signal],
      relistMs: options.relistMs ?? 30_000,
      silenceMs: this.#limits.silenceMs,
      openMs: this.#limits.deadlineMs,
      onTrouble: options.onTrouble ?? (() => undefined),
    });
  }

  async log(
    at: { readonly namespace: string; readonly name: string; readonly container: string },
    options: LogOptions,
  ): Promise<Readable> {
    const { deadlineMs } = this.#limits;
    return await openLog(this.#sender, at, options, { closing: this.#closing.signal, deadlineMs });
  }

  async raw(path: string, options: CallOptions = {}): Promise<Json> {
    const text = await this.#run({ method: 'GET', path, title: `get ${path}` }, options);
    return parseJson(text) ?? text;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#transport.close();
  }

  async #merge<T extends KubernetesObject>(
    resource: Resource<T>,
    at: Place & { readonly part?: string },
    patch: Json,
    options: CallOptions,
  ): Promise<T> {
    const call: Call = {
      method: 'PATCH',
      path: pathOf(resource, at),
      title: titleOf('patch', resource, at),
      body: JSON.stringify(patch),
      contentType: 'application/merge-patch+json',
    };
    return readObject(resource, call, await this.#run(call, options));
  }

  /** The text of the answer, after as many tries as are safe and fit in the deadline. */
  async #run(call: Call, options: CallOptions): Promise<string> {
    const patience = new Patience(
      [options.signal, this.#closing.signal],
      options.deadlineMs ?? this.#limits.deadlineMs,
    );
    try {
      for (let failures = 1, last: ClusterError | undefined; ; failures++) {
        try {
          return await this.#attempt(call, patience, last);
        } catch (error) {
          last = breakdown(call, error);
          const wait = waitBefore(failures, last);
          if (!mayRepeat(call, last) || wait > patience.leftMs) throw last;
          await sleep(wait, undefined, { signal: patience.signal });
        }
      }
    } catch (error) {
      throw patience.abandoned ? aborted(call.title) : error;
    } finally {
      patience.release();
    }
  }

  async #attempt(call: Call, patience: Patience, last: ClusterError | undefined): Promise<string> {
    const { signal } = patience;
    const turn = { came: false };
    const send = async (): Promise<string> => {
      turn.came = true;
      return await readText(call, await this.#sender.send(call, { use: 'calls', signal }));
    };
    try {
      return await this.#queue.add(send, { signal });
    } catch (error) {
      if (signal.aborted) throw lateness(call, turn.came, last);
      throw error;
    }
  }
}

function titleOf(verb: string, resource: Resource<KubernetesObject>, at: Partial<Place>): string {
  const place = [at.namespace, at.name].filter((part) => part !== undefined).join('/');
  return `${verb} ${resource.plural} ${place}`.trim();
}

function serialize<T extends KubernetesObject>(resource: Resource<T>, body: Draft<T>): string {
  return JSON.stringify({ apiVersion: resource.apiVersion, kind: resource.kind, ...body });
}
