import type { Readable } from 'node:stream';
import type { Json } from '../model/json.ts';
import type { ClusterError } from './cluster-error.ts';
import type { Draft, KubernetesObject } from './objects.ts';
import type { Resource } from './resources.ts';

/** One object. `namespace` is left out for kinds that are in none. */
export interface Place {
  readonly namespace?: string;
  readonly name: string;
}

/** A set of objects; without a namespace those of all namespaces. Selectors as `kubectl` takes them. */
export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long it may take with all repetitions, milliseconds. */
  readonly deadlineMs?: number;
}

export interface ApplyOptions extends CallOptions {
  readonly fieldManager: string;
  /** Takes fields over that another manager owns, instead of a Conflict. */
  readonly force?: boolean;
  /** The answer says what would come of it; nothing is changed. */
  readonly dryRun?: boolean;
}

export interface DeleteOptions extends CallOptions {
  /** What happens to dependent objects, such as the pods of a Job. Background unless told. */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly graceSeconds?: number;
  /** Only the object with this uid; another one of the same name stays. */
  readonly uid?: string;
  /** Only the object as it was when it had this version; a Conflict when it was changed since. */
  readonly resourceVersion?: string;
}

export interface WatchOptions {
  /** Ends the watch; the iteration then ends without an error. */
  readonly signal: AbortSignal;
  /** How often everything is listed anew, which is the truth when a watch has missed something. 30 s unless told. */
  readonly relistMs?: number;
  /** Called for each failure, before the watch waits and goes on. */
  readonly onTrouble?: (error: ClusterError) => void;
}

export interface LogOptions {
  readonly signal: AbortSignal;
  readonly follow?: boolean;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  /** RFC 3339. */
  readonly sinceTime?: string;
  readonly timestamps?: boolean;
  /** The log of the container's life before its last restart. */
  readonly previous?: boolean;
}

export interface Listing<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

export type WatchEvent<T> =
  /** All there is. What was there before and is not among them is gone. */
  | { readonly type: 'listed'; readonly items: readonly T[] }
  /** New, or different. */
  | { readonly type: 'changed'; readonly object: T }
  | { readonly type: 'deleted'; readonly object: T };

/** Iterate once. An object may come again in the same or an older state: take what is listed last as true. */
export interface Watch<T> extends AsyncIterable<WatchEvent<T>> {
  /** When the API server was last heard from, milliseconds since the epoch; 0 before. */
  readonly lastContact: number;
}

/**
 * The API server of one cluster, from `connectCluster` until `close`.
 *
 * Every call has a deadline (30 s unless the client was told another), waits for its turn (concurrency and rate), and is
 * repeated until then if that is safe: reads on 429, 5xx and lost connections, everything else only if the server said
 * that it did nothing (429, 503 with Retry-After) or was never reached. A call throws ClusterError; where `outcome` is
 * `unknown` the change may have happened, and the caller has to look. An aborted signal makes it throw ERR_ABORTED.
 */
export interface ClusterClient {
  get<T extends KubernetesObject>(resource: Resource<T>, at: Place, options?: CallOptions): Promise<T>;
  /** Complete and as of now, read in pages. */
  list<T extends KubernetesObject>(resource: Resource<T>, at: Selection, options?: CallOptions): Promise<Listing<T>>;
  /** AlreadyExists (409) if there is one of that name. */
  create<T extends KubernetesObject>(
    resource: Resource<T>,
    at: { readonly namespace?: string },
    body: Draft<T>,
    options?: CallOptions,
  ): Promise<T>;
  /** Server-side apply: creates it, or sets the fields of `body` and drops those this manager set before. */
  apply<T extends KubernetesObject>(
    resource: Resource<T>,
    at: Place,
    body: Draft<T>,
    options: ApplyOptions,
  ): Promise<T>;
  /** JSON merge patch (RFC 7396): null removes a field, a list replaces a list. */
  patch<T extends KubernetesObject>(resource: Resource<T>, at: Place, patch: Json, options?: CallOptions): Promise<T>;
  patchStatus<T extends KubernetesObject>(
    resource: Resource<T>,
    at: Place,
    patch: Json,
    options?: CallOptions,
  ): Promise<T>;
  /** Whether it was there. It may still be there, with a deletionTimestamp, until it has ended. */
  delete(resource: Resource<KubernetesObject>, at: Place, options?: DeleteOptions): Promise<boolean>;
  /** Lists, then watches, and never gives up until the signal aborts or the client is closed. */
  watch<T extends KubernetesObject>(resource: Resource<T>, at: Selection, options: WatchOptions): Watch<T>;
  /**
   * The bytes of a container's log. Destroying the stream or aborting the signal ends the request; a cut is an error.
   * A pod that has no node yet has an empty log, and one whose container has not started is refused (BadRequest).
   */
  log(
    at: { readonly namespace: string; readonly name: string; readonly container: string },
    options: LogOptions,
  ): Promise<Readable>;
  /** Any other document, such as `/version`; text that is no JSON, such as that of `/readyz`, as a string. */
  raw(path: string, options?: CallOptions): Promise<Json>;
  /** Of the context or the service account: where objects go when nobody says otherwise. */
  readonly namespace: string;
  /** How many requests were sent so far. */
  readonly requests: number;
  /** Ends everything under way. May be called twice. */
  close(): Promise<void>;
}
