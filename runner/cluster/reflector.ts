import { setTimeout as sleep } from 'node:timers/promises';
import { Patience } from './abort.ts';
import type { Call, Query } from './call.ts';
import type { Listing, Watch, WatchEvent } from './cluster-client.ts';
import type { ClusterError } from './cluster-error.ts';
import type { KubernetesObject } from './objects.ts';
import { breakdown, lateness, refusal } from './read-failure.ts';
import { readLines } from './read-lines.ts';
import { isObject, isRecord, parseJson, trusted, unreadable } from './read-object.ts';
import { backoff } from './repeat.ts';
import type { Resource } from './resources.ts';

export interface ReflectorParts<T extends KubernetesObject> {
  readonly resource: Resource<T>;
  readonly list: (signal: AbortSignal) => Promise<Listing<T>>;
  readonly open: (query: Query, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;
  /** What error messages speak of. */
  readonly call: Call;
  readonly signals: readonly AbortSignal[];
  readonly relistMs: number;
  readonly silenceMs: number;
  /** How long the server may take to begin its answer. */
  readonly openMs: number;
  readonly onTrouble: (error: ClusterError) => void;
}

/** A line of a watch. */
interface Line {
  readonly type: string;
  readonly version: string | undefined;
  /** Not there in a bookmark. */
  readonly object: KubernetesObject | undefined;
}

/** The server ends a watch at its `timeoutSeconds`; this much later, nobody is there any more. */
const graceMs = 10_000;
/** A watch that ends sooner, and without a word, is a fault: asked again at once it would end again at once. */
const shortestMs = 500;

/**
 * List, watch from the version of the list, and start anew from a list every `relistMs`. The server is told to end the watch
 * by then, which leaves the connection whole for the next one. After a lost connection the watch resumes where it was;
 * after an ERROR of the server (410 and all others) only a list tells what is true.
 */
export class Reflector<T extends KubernetesObject> implements Watch<T> {
  readonly #parts: ReflectorParts<T>;
  #lastContact = 0;
  /** Where to resume. `undefined` asks for a list. */
  #version: string | undefined;
  #listAt = 0;
  #failures = 0;

  constructor(parts: ReflectorParts<T>) {
    this.#parts = parts;
  }

  get lastContact(): number {
    return this.#lastContact;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WatchEvent<T>, void> {
    const ended = new Patience(this.#parts.signals);
    const { signal } = ended;
    try {
      while (!signal.aborted) {
        const failure = yield* this.#attempt(signal);
        if (failure) await this.#recover(failure, signal);
      }
    } finally {
      ended.release();
    }
  }

  /** What went wrong, unless it ended as it should or because nobody wants it any more. */
  async *#attempt(signal: AbortSignal): AsyncGenerator<WatchEvent<T>, ClusterError | undefined> {
    try {
      yield* this.#round(signal);
      return undefined;
    } catch (error) {
      return signal.aborted ? undefined : breakdown(this.#parts.call, error);
    }
  }

  async *#round(signal: AbortSignal): AsyncGenerator<WatchEvent<T>, void> {
    if (this.#version === undefined || performance.now() >= this.#listAt) yield await this.#list(signal);
    const timeoutSeconds = Math.max(1, Math.ceil((this.#listAt - performance.now()) / 1_000));
    const query = { watch: true, allowWatchBookmarks: true, resourceVersion: this.#version, timeoutSeconds };
    const silenceMs = Math.min(this.#parts.silenceMs, timeoutSeconds * 1_000 + graceMs);
    const patience = new Patience([signal], this.#parts.openMs);
    try {
      const body = await this.#parts.open(query, patience.signal);
      this.#heard();
      yield* this.#events(this.#chunks(body, patience, silenceMs));
    } catch (error) {
      throw patience.signal.aborted ? lateness(this.#parts.call, true) : error;
    } finally {
      patience.release();
    }
  }

  async #list(signal: AbortSignal): Promise<WatchEvent<T>> {
    const listing = await this.#parts.list(signal);
    this.#heard();
    this.#version = listing.resourceVersion;
    this.#listAt = performance.now() + this.#parts.relistMs;
    return { type: 'listed', items: listing.items };
  }

  async *#events(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<WatchEvent<T>, void> {
    const begun = performance.now();
    let lines = 0;
    for await (const text of readLines(chunks)) {
      const { type, version, object } = this.#read(text);
      lines += 1;
      this.#failures = 0;
      this.#version = version;
      if (object)
        yield { type: type === 'DELETED' ? 'deleted' : 'changed', object: trusted(this.#parts.resource, object) };
    }
    if (lines === 0 && performance.now() - begun < shortestMs)
      throw breakdown(this.#parts.call, new Error('the watch ended as soon as it began'));
  }

  /** Time counts while the server is waited for, and not while the events are worked on. */
  async *#chunks(
    body: AsyncIterable<Uint8Array>,
    patience: Patience,
    silenceMs: number,
  ): AsyncGenerator<Uint8Array, void> {
    patience.extend(silenceMs);
    for await (const chunk of body) {
      patience.pause();
      this.#heard();
      yield chunk;
      patience.extend(silenceMs);
    }
  }

  #read(text: string): Line {
    const { call } = this.#parts;
    const value: unknown = parseJson(text);
    if (!isRecord(value) || !isRecord(value['object'])) throw unreadable(call, text);
    const { type, object } = value;
    if (type === 'ERROR') throw refusal(call, { ...statusOf(object), retryAfter: undefined }, Date.now());
    if (type === 'BOOKMARK') return { type, version: versionOf(object), object: undefined };
    if (typeof type !== 'string' || !isObject(object)) throw unreadable(call, text);
    return { type, version: object.metadata.resourceVersion, object };
  }

  async #recover(failure: ClusterError, signal: AbortSignal): Promise<void> {
    this.#failures += 1;
    if (failure.status !== 0) this.#version = undefined;
    this.#parts.onTrouble(failure);
    const isOld = failure.status === 410 && this.#failures === 1;
    if (!isOld) await sleep(backoff(this.#failures), undefined, { signal }).catch(() => undefined);
  }

  #heard(): void {
    this.#lastContact = Date.now();
  }
}

function statusOf(object: Readonly<Record<string, unknown>>): { readonly status: number; readonly text: string } {
  const { code } = object;
  return { status: typeof code === 'number' ? code : 500, text: JSON.stringify(object) };
}

/** `undefined`, which asks for a list, for a bookmark without a place. */
function versionOf(object: Readonly<Record<string, unknown>>): string | undefined {
  const { metadata } = object;
  const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
  return typeof version === 'string' ? version : undefined;
}
