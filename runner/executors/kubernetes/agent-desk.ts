import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { holdMs } from '../../agent/protocol.ts';
import { messageOf, SluiceError } from '../../model/errors.ts';
import type { AgentState, Wish, WishQuestion } from '../../agent/protocol.ts';
import type { BlobAccess } from '../../workspace/blob-access.ts';

/** What an attempt lends to the requests of its agent, once it has begun. */
export interface DeskTools {
  readonly blobs: BlobAccess;
  /** Raw output that is stored already, from an earlier runner. */
  readonly logOffset: number;
  readonly write: (chunk: Uint8Array) => Promise<void>;
}

const order = ['waiting', 'running', 'ended', 'collected', 'refused'] as const;

/** The runner's side of the talk with one agent: what it has said, what is wanted of it, what may be asked for. */
export class AgentDesk {
  #tools: DeskTools | undefined;
  #state: AgentState | undefined;
  #wish: Wish = { do: 'wait' };
  #obeyed: Wish['do'] = 'wait';
  #offset = 0;
  #writing: Promise<unknown> = Promise.resolve();
  #failure: Error | undefined;
  #changed = Promise.withResolvers<undefined>();
  #wished = Promise.withResolvers<undefined>();
  #readable = new Set<string>();

  /** A desk that was set up ahead gets what it works with. Until then an agent can do nothing but wait. */
  open(tools: DeskTools): void {
    this.#tools = tools;
    this.#offset = tools.logOffset;
  }

  /** Undefined until the agent was heard. */
  get state(): AgentState | undefined {
    return this.#state;
  }

  /** Whether its agent was told to work, be it by an earlier runner. */
  get isObeyed(): boolean {
    return this.#obeyed !== 'wait';
  }

  get wish(): Wish['do'] {
    return this.#wish.do;
  }

  /** Why its output cannot be stored. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Output stored so far. */
  get logOffset(): number {
    return this.#offset;
  }

  /** Output that the agent handed to an earlier runner, which had not stored it yet. */
  get lacksLog(): boolean {
    return this.#state?.phase === 'collected' && this.#state.results.log.bytes > this.#offset;
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
    this.#wake();
  }

  /** Phases only go on: a word that comes late, or twice, changes nothing. */
  hear(state: AgentState): void {
    if (this.#state !== undefined && order.indexOf(state.phase) <= order.indexOf(this.#state.phase)) return;
    this.#state = state;
    this.#notify();
    this.#wake();
  }

  async answer({ state, obeyed }: WishQuestion, signal: AbortSignal): Promise<Wish> {
    this.#obeyed = obeyed;
    this.hear(state);
    const deadline = performance.now() + holdMs;
    for (;;) {
      const { promise: wished } = this.#wished;
      const news = this.#newsFor(obeyed);
      const left = deadline - performance.now();
      if (news !== undefined || left <= 0 || signal.aborted) return news ?? { do: 'wait' };
      const timer = new AbortController();
      const late = sleep(left, undefined, { signal: AbortSignal.any([timer.signal, signal]) }).catch(() => undefined);
      await Promise.race([wished, late]);
      timer.abort();
    }
  }

  #newsFor(obeyed: Wish['do']): Wish | undefined {
    if (this.lacksLog && obeyed !== 'resend') return { do: 'resend', offset: this.#offset };
    return this.#wish.do === 'wait' || this.#wish.do === obeyed ? undefined : this.#wish;
  }

  /** Stores output from an offset on, what is stored already excepted, and answers where the next piece begins. ERR_UNSUPPORTED before `open`. */
  async log(offset: number, chunk: Uint8Array): Promise<number> {
    // The agent of a dead runner's step may ask before its attempt was taken up, and asks again: nothing has failed.
    const tools = this.#opened();
    const before = this.#writing;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#writing = promise;
    await before;
    try {
      const fresh = chunk.subarray(Math.max(0, this.#offset - offset));
      // A gap would be a defect of the agent; asking for the right place heals it.
      if (offset <= this.#offset && fresh.length > 0) {
        await tools.write(fresh);
        this.#offset += fresh.length;
        if (this.#state?.phase === 'collected') this.#notify();
      }
      return this.#offset;
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error(messageOf(error));
      this.#notify();
      throw error;
    } finally {
      resolve(undefined);
    }
  }

  /** ERR_NOT_FOUND for a blob that is none of this attempt's. */
  async read(sha256: string): Promise<Readable> {
    if (this.#wish.do === 'wait') throw new SluiceError('ERR_UNSUPPORTED', 'the attempt has no work yet');
    if (!this.#readable.has(sha256)) throw new SluiceError('ERR_NOT_FOUND', `blob ${sha256} is not for this attempt`);
    return this.#opened().blobs.open(sha256);
  }

  store(content: Readable): ReturnType<BlobAccess['put']> {
    return this.#opened().blobs.put(content);
  }

  #opened(): DeskTools {
    if (this.#tools === undefined) throw new SluiceError('ERR_UNSUPPORTED', 'the attempt has not begun');
    return this.#tools;
  }

  /** Whoever holds a question back looks anew. */
  #wake(): void {
    this.#wished.resolve(undefined);
    this.#wished = Promise.withResolvers();
  }

  #notify(): void {
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers();
  }
}
