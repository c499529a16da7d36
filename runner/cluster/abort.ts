import { SluiceError } from '../model/errors.ts';

/** Ends with any of its signals, or when its time is up. `release` it: nothing then stays behind on a signal that lives long. */
export class Patience {
  readonly #controller = new AbortController();
  readonly #signals: readonly AbortSignal[];
  readonly #end: number;
  readonly #stop = (): void => this.#controller.abort();
  #timer: NodeJS.Timeout | undefined;

  constructor(signals: readonly (AbortSignal | undefined)[], deadlineMs = Infinity) {
    this.#signals = signals.filter((signal) => signal !== undefined);
    this.#end = performance.now() + deadlineMs;
    for (const signal of this.#signals) signal.addEventListener('abort', this.#stop, { once: true });
    if (this.abandoned) this.#stop();
    else if (deadlineMs !== Infinity) this.extend(deadlineMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether somebody does not want it any more, as opposed to it having taken too long. */
  get abandoned(): boolean {
    return this.#signals.some((signal) => signal.aborted);
  }

  get leftMs(): number {
    return this.#end - performance.now();
  }

  /** Starts to count anew: the time is up `ms` from now. */
  extend(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#stop, ms);
  }

  /** Stops the clock until `extend`. */
  pause(): void {
    clearTimeout(this.#timer);
  }

  release(): void {
    this.pause();
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#stop);
  }
}

export function aborted(title: string): SluiceError {
  return new SluiceError('ERR_ABORTED', `${title}: no longer wanted`);
}
