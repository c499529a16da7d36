import { setTimeout as sleep } from 'node:timers/promises';
import type { TestBackend } from './test-backend.ts';

const pauseMs = 50;

/** An answer that users of production got. */
export interface Served {
  /** When it was asked, ms since 1970. */
  readonly at: number;
  readonly status: number;
  readonly release: string | undefined;
}

/** Asks production all the time, as its users do, until the test stops it. */
export class Traffic {
  readonly served: Served[] = [];
  readonly #backend: TestBackend;
  readonly #path: string;
  readonly #ended: Promise<void>;
  #isOver = false;

  constructor(backend: TestBackend, path: string) {
    this.#backend = backend;
    this.#path = path;
    this.#ended = this.#go();
  }

  /** Those that users would complain about. */
  get failed(): readonly Served[] {
    return this.served.filter(({ status }) => status !== 200);
  }

  /** Releases that answered, each once, in the order in which they took over. */
  get releases(): readonly (string | undefined)[] {
    return this.served.map(({ release }) => release).filter((name, at, all) => at === 0 || name !== all[at - 1]);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#ended;
  }

  async #go(): Promise<void> {
    while (!this.#isOver) {
      const at = Date.now();
      const { status, release } = await this.#backend.ask(this.#path).catch(() => ({ status: 0, release: undefined }));
      this.served.push({ at, status, release });
      await sleep(pauseMs);
    }
  }
}
