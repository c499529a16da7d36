import type { Logger } from '../../model/logger.ts';
import type { ServerMessage } from './messages.ts';

const lookMs = 2_000;

export interface WatchedBackend {
  readonly subscription: string;
  readonly name: string;
  /** As the client knows it already. */
  readonly status: object;
}

/**
 * What becomes of a backend, told whenever it is another than was told before. It is a level and no history: whoever was away asks anew, and
 * misses nothing that still holds.
 */
export class BackendWatch {
  readonly #watched: WatchedBackend;
  readonly #look: () => Promise<object | undefined>;
  readonly #logger: Logger;
  #told: string;
  #lookedAt = performance.now();
  #isOver = false;

  /** `look` answers the status as it is now; undefined for what is not there, or not for this client to see. */
  constructor(watched: WatchedBackend, look: () => Promise<object | undefined>, logger: Logger) {
    this.#watched = watched;
    this.#look = look;
    this.#logger = logger;
    this.#told = JSON.stringify(watched.status);
  }

  /** The end of the backend was told. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** One at most; none before it is time to look again. */
  async *messages(): AsyncGenerator<ServerMessage> {
    if (this.#isOver || performance.now() - this.#lookedAt < lookMs) return;
    this.#lookedAt = performance.now();
    const { subscription, name } = this.#watched;
    try {
      const status = await this.#look();
      const text = JSON.stringify(status ?? null);
      if (text === this.#told) return;
      this.#told = text;
      this.#isOver = status === undefined;
      yield { type: 'backend', subscription, name, ...(status && { status }) };
    } catch (error) {
      // A cluster that does not answer for a while is no end of anything.
      this.#logger.warn('a backend could not be looked at', { backend: name, error });
    }
  }
}
