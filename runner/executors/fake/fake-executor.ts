import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../model/clock.ts';
import type { Clock } from '../../model/clock.ts';
import type { Json } from '../../model/json.ts';
import { verdictOf } from '../../model/outcome.ts';
import type { Verdict } from '../../model/outcome.ts';
import type { Capability } from '../../model/plan.ts';
import type { ArtifactEntry } from '../../model/result.ts';
import type { BlobAccess } from '../../workspace/blob-access.ts';
import type { AttemptContext, AttemptOutcome, AttemptSpec, Executor, StopReason } from '../executor.ts';
import { textTar } from '../testing/text-tar.ts';

/** What one attempt does, in this order: notes, log, wait, end. Everything has a default; `{}` succeeds at once. */
export interface FakeAttempt {
  readonly notes?: readonly string[];
  /** Pieces of output. */
  readonly log?: readonly string[];
  /** What its command waits for before it ends: a promise of the test, or only the wish to stop it. */
  readonly until?: Promise<unknown> | 'stopped';
  /** Of its command; 0 without it. */
  readonly exitCode?: number;
  /** The verdict, where it is not simply that of the exit code. */
  readonly verdict?: Verdict;
  /** Artefacts and reports by path. */
  readonly files?: Readonly<Record<string, { readonly kind: 'artifact' | 'junit'; readonly text: string }>>;
  /** Text of $SLUICE_OUTPUT. */
  readonly output?: string;
  /** Files handed over after success, by path. */
  readonly handover?: Readonly<Record<string, string>>;
  /** Content of the caches kept after success, by key and path. */
  readonly caches?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** A defect: what the promise rejects with. */
  readonly defect?: Error;
}

export interface FakeExecutorOptions {
  /** Chooses what an attempt does. */
  readonly script: (spec: AttemptSpec) => FakeAttempt;
  /** What becomes of an attempt whose runner ended; `runner_lost` without it. */
  readonly recover?: (spec: AttemptSpec, place: Readonly<Record<string, Json>> | undefined) => FakeAttempt;
  readonly unsupported?: (step: AttemptSpec['step']) => string | undefined;
  readonly offers?: readonly Capability[];
  readonly clock?: Clock;
}

/** An executor without processes that does what a test tells it, for tests of everything above executors. */
export class FakeExecutor implements Executor {
  readonly name = 'fake';
  readonly resumes = false;
  readonly offers: ReadonlySet<Capability>;
  /** Every attempt that was begun, in order. */
  readonly executed: AttemptSpec[] = [];
  readonly recovered: AttemptSpec[] = [];
  readonly #options: FakeExecutorOptions;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: FakeExecutorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.offers = new Set(options.offers);
  }

  /** Attempts under way now. */
  get running(): number {
    return this.#running.size;
  }

  unsupportedReason(step: AttemptSpec['step']): string | undefined {
    return this.#options.unsupported?.(step);
  }

  execute(spec: AttemptSpec, context: AttemptContext): Promise<AttemptOutcome> {
    this.executed.push(spec);
    return this.#track(this.#run(this.#options.script(spec), spec, context));
  }

  async recover(
    spec: AttemptSpec,
    place: Readonly<Record<string, Json>> | undefined,
    context: AttemptContext,
  ): Promise<AttemptOutcome> {
    this.recovered.push(spec);
    if (this.#options.recover === undefined) return nothing(verdictOf('runner_lost'));
    return this.#track(this.#run(this.#options.recover(spec, place), spec, context));
  }

  /** Nothing is kept. */
  release(): void {
    // See above.
  }

  async close(): Promise<void> {
    this.#closing.abort('interrupted' satisfies StopReason);
    await Promise.allSettled(this.#running);
  }

  async #run(attempt: FakeAttempt, spec: AttemptSpec, context: AttemptContext): Promise<AttemptOutcome> {
    const stop = AbortSignal.any([context.signal, this.#closing.signal]);
    if (stop.aborted) return nothing(verdictOf(stop.reason as StopReason));
    await context.placed({ fake: `${spec.step.id}/${spec.attempt}` });
    const startedAt = this.#clock();
    for (const note of attempt.notes ?? []) context.note(note);
    for (const piece of attempt.log ?? []) await context.log.write(Buffer.from(piece));
    const stopped = await waitFor(attempt.until, spec.step.timeoutMs, stop);
    if (attempt.defect !== undefined) throw attempt.defect;
    const ended = stopped === undefined ? endOf(attempt) : verdictOf(stopped);
    return { startedAt, finishedAt: this.#clock(), ...ended, ...(await results(attempt, ended, context.blobs)) };
  }

  async #track<Value>(work: Promise<Value>): Promise<Value> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }
}

function nothing(verdict: Verdict): AttemptOutcome {
  return { ...verdict, files: [], output: '', caches: {} };
}

async function waitFor(
  until: FakeAttempt['until'],
  timeoutMs: number,
  stop: AbortSignal,
): Promise<StopReason | undefined> {
  if (until === undefined) return undefined;
  const over = new AbortController();
  const stopped = new Promise<StopReason>((resolve) => {
    const tell = (): void => resolve(stop.reason as StopReason);
    if (stop.aborted) tell();
    else stop.addEventListener('abort', tell, { once: true, signal: over.signal });
  });
  const late = sleep(timeoutMs, 'timeout' as const, { signal: over.signal }).catch(() => undefined);
  const done = until === 'stopped' ? [] : [until.then(() => undefined)];
  return Promise.race([...done, stopped, late]).finally(() => over.abort());
}

function endOf({ exitCode = 0, verdict }: FakeAttempt): Verdict & Pick<AttemptOutcome, 'exitCode'> {
  const byCode: Verdict = exitCode === 0 ? { outcome: 'succeeded' } : verdictOf('exit_code', `exit code ${exitCode}`);
  return { ...(verdict ?? byCode), exitCode };
}

async function results(
  { files = {}, output = '', handover, caches = {} }: FakeAttempt,
  { outcome }: Verdict,
  blobs: BlobAccess,
): Promise<Pick<AttemptOutcome, 'files' | 'output' | 'handover' | 'caches'>> {
  const entries: ArtifactEntry[] = [];
  for (const [path, { kind, text }] of Object.entries(files)) {
    entries.push({ kind, path, mode: 0o644, ...(await blobs.put(Readable.from([Buffer.from(text)]))) });
  }
  if (outcome !== 'succeeded') return { files: entries, output, caches: {} };
  const kept: Record<string, string> = {};
  for (const [key, content] of Object.entries(caches)) kept[key] = (await blobs.put(textTar(content))).sha256;
  const handedOver = handover === undefined ? {} : { handover: (await blobs.put(textTar(handover))).sha256 };
  return { files: entries, output, caches: kept, ...handedOver };
}
