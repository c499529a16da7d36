import { setTimeout as sleep } from 'node:timers/promises';
import { holdMs } from '../../agent/protocol.ts';
import type { AgentState, Wish, WishQuestion } from '../../agent/protocol.ts';
import type { BlobAccess } from '../../workspace/blob-access.ts';

/** What an attempt lends to the agent's requests. */
export interface DeskOptions {
  readonly blobs: BlobAccess;
  /** Raw output that is stored already, from an earlier runner. */
  readonly logOffset: number;
  readonly write: (chunk: Uint8Array) => Promise<void>;
}

const order = ['waiting', 'refused', 'running', 'ended', 'collected'] as const;

/** The runner's side of the talk with one agent: what it has said, what is wanted of it, what may be asked for. */
export class AgentDesk {
  readonly #options: DeskOptions;
  #state: AgentState | undefined;
  #wish: Wish = { do: 'wait' };
  #offset: number;
  #writing: Promise<unknown> = Promise.resolve();
  #failure: unknown;
  #changed = Promise.withResolvers<undefined>();
  #wished = Promise.withResolvers<undefined>();
  #readable = new Set<string>();

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#offset = options.logOffset;
  }

  /** Undefined until the agent was heard. */
  get state(): AgentState | undefined {
    return this.#state;
  }

  get wish(): Wish['do'] {
    return this.#wish.do;
  }

  /** Why its output cannot be stored. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Output stored so far. */
  get logOffset(): number {
    return this.#offset;
  }

  /** Settles at the next change of the state. */
  async changed(): Promise<void> {
    await this.#changed.promise;
  }

  want(wish: Wish): void {
    if (wish.do === 'run') {
      const blobs = [...wish.work.layers, ...wish.work.caches].flatMap(({ blob }) =>
        blob === undefined ? [] : [blob],
      );
      this.#readable = new Set(blobs);
    }
    this.#wish = wish;
    this.#wished.resolve(undefined);
    this.#wished = Promise.withResolvers();
  }

  /** Phases only go on: a word that comes late, or twice, changes nothing. */
  hear(state: AgentState): void {
    if (this.#state !== undefined && order.indexOf(state.phase) <= order.indexOf(this.#state.phase)) return;
    this.#state = state;
    this.#notify();
  }

  async answer({ state, obeyed }: WishQuestion, signal: AbortSignal): Promise<Wish> {
    this.hear(state);
    const deadline = performance.now() + holdMs;
    while (this.#wish.do === obeyed) {
      const wished = this.#wished.promise;
      const left = deadline - performance.now();
      if (left <= 0 || signal.aborted) break;
      const timer = new AbortController();
      const late = sleep(left, undefined, { signal: AbortSignal.any([timer.signal, signal]) }).catch(() => undefined);
      await Promise.race([wished, late]);
      timer.abort();
    }
    return this.#wish.do === obeyed ? { do: 'wait' } : this.#wish;
  }

  /** Stores output from an offset on, what is stored already excepted, and answers where the next piece begins. */
  async log(offset: number, chunk: Uint8Array): Promise<number> {
    const before = this.#writing;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#writing = promise;
    await before;
    try {
      const fresh = chunk.subarray(Math.max(0, this.#offset - offset));
      // A gap would be a defect of the agent; asking for the right place heals it.
      if (offset <= this.#offset && fresh.length > 0) {
        await this.#options.write(fresh);
        this.#offset += fresh.length;
      }
      return this.#offset;
    } catch (error) {
      this.#failure ??= error;
      this.#notify();
      throw error;
    } finally {
      resolve(undefined);
    }
  }

  /** Undefined for a blob that is none of this attempt's. */
  blobsFor(sha256: string): BlobAccess | undefined {
    return this.#readable.has(sha256) ? this.#options.blobs : undefined;
  }

  get blobs(): BlobAccess {
    return this.#options.blobs;
  }

  #notify(): void {
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers();
  }
}
