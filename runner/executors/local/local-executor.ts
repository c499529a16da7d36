import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../model/clock.ts';
import type { Clock } from '../../model/clock.ts';
import type { Json } from '../../model/json.ts';
import { verdictOf } from '../../model/outcome.ts';
import type { Capability, RunStep } from '../../model/plan.ts';
import type { AttemptContext, AttemptOutcome, AttemptSpec, Executor, StopReason } from '../executor.ts';
import type { BackendEnvironments } from './backend-environments.ts';
import { attemptRoot, createAttemptFolder } from './attempt-folder.ts';
import { runAttempt } from './attempt.ts';
import { discardFolder } from './discard-folder.ts';
import type { LocalMachine } from './attempt.ts';
import { ImageToolbox } from './image-tools.ts';
import { OutputPipes } from './output-pipe.ts';
import { removeAttempt } from './remove-attempt.ts';
import { unknownService } from './services/service-kinds.ts';
import type { Stop } from './stop.ts';
import { sweep } from './sweep.ts';

export interface LocalExecutorOptions {
  /** Work folder, made when it is missing. Several executors may share one. */
  readonly folder: string;
  /** Programs that were downloaded and templates of data; kept between runs. Default: in the work folder. */
  readonly cache?: string;
  /** What every step sees of the machine's environment; see `baseEnvironment`. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** Without them backends cannot be deployed. */
  readonly environments?: BackendEnvironments;
  /** Time between TERM and KILL. */
  readonly graceMs?: number;
  readonly clock?: Clock;
}

const defaultGraceMs = 10_000;
const hurriedGraceMs = 2_000;

/** Runs each attempt as a process group of this machine, in a folder of its own that goes with it. */
export function createLocalExecutor(options: LocalExecutorOptions): Executor {
  return new LocalExecutor(options);
}

class LocalExecutor implements Executor {
  readonly name = 'local';
  readonly resumes = false;
  readonly offers: ReadonlySet<Capability>;
  readonly #attempts: string;
  readonly #graceMs: number;
  readonly #machine: LocalMachine;
  readonly #closing = new AbortController();
  /** Aborted when `close` has waited long enough for what still runs and what is still collected. */
  readonly #hurry = new AbortController();
  /** Whatever `close` has to wait for. */
  readonly #pending = new Set<Promise<unknown>>();
  #swept = false;

  constructor({
    folder,
    cache = join(folder, 'cache'),
    baseEnv,
    environments,
    graceMs = defaultGraceMs,
    clock = systemClock,
  }: LocalExecutorOptions) {
    this.offers = new Set(['services', ...(environments === undefined ? [] : (['environments'] as const))]);
    this.#attempts = join(folder, 'attempts');
    this.#graceMs = graceMs;
    this.#machine = {
      base: baseEnv,
      cache,
      clock,
      environments,
      images: new ImageToolbox(cache, baseEnv, environments?.programs),
      pipes: new OutputPipes(folder),
    };
  }

  unsupportedReason(step: RunStep): string | undefined {
    return unknownService(step);
  }

  async execute(spec: AttemptSpec, context: AttemptContext): Promise<AttemptOutcome> {
    return this.#track(this.#execute(spec, context));
  }

  async recover(spec: AttemptSpec, place: Readonly<Record<string, Json>> | undefined): Promise<AttemptOutcome> {
    const folder = place?.['folder'];
    const root = typeof folder === 'string' ? folder : this.#rootOf(spec);
    await this.#track(removeAttempt(root));
    return { ...verdictOf('runner_lost'), files: [], output: '', caches: {} };
  }

  /** Nothing is kept: folders go as soon as their attempt has ended. */
  release(): void {
    // See above.
  }

  async close(): Promise<void> {
    this.#closing.abort('interrupted' satisfies StopReason);
    const timer = setTimeout(
      () => this.#hurry.abort('interrupted' satisfies StopReason),
      Math.min(this.#graceMs, hurriedGraceMs),
    );
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    clearTimeout(timer);
    this.#machine.pipes.close();
  }

  async #execute(spec: AttemptSpec, context: AttemptContext): Promise<AttemptOutcome> {
    const root = this.#rootOf(spec);
    mkdirSync(this.#attempts, { recursive: true });
    this.#sweepOnce();
    const folder = createAttemptFolder(root, spec.step.script);
    try {
      return await runAttempt({ machine: this.#machine, folder, spec, context, stop: this.#stop(context.signal) });
    } finally {
      // The result does not wait for the disk; `close` does.
      this.#tidy(discardFolder(root));
    }
  }

  #stop(wish: AbortSignal): Stop {
    return {
      signal: AbortSignal.any([wish, this.#closing.signal]),
      grace: () => AbortSignal.any([AbortSignal.timeout(this.#graceMs), this.#hurry.signal]),
      hurry: this.#hurry.signal,
    };
  }

  #rootOf({ runId, step, attempt }: AttemptSpec): string {
    return attemptRoot(this.#attempts, { runId, step: step.id, attempt });
  }

  #sweepOnce(): void {
    if (!this.#swept) this.#tidy(sweep(this.#attempts));
    this.#swept = true;
  }

  /** In the background. What cannot be removed now is found by the sweep of a later runner. */
  #tidy(work: Promise<void>): void {
    void this.#track(work).catch(() => undefined);
  }

  async #track<Value>(work: Promise<Value>): Promise<Value> {
    this.#pending.add(work);
    try {
      return await work;
    } finally {
      this.#pending.delete(work);
    }
  }
}
