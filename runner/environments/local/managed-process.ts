import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGated } from '../../executors/local/gated-process.ts';
import type { GatedProcess, ProcessEnd } from '../../executors/local/gated-process.ts';
import { OutputPump } from '../../executors/local/output-pipe.ts';
import type { OutputPipes } from '../../executors/local/output-pipe.ts';
import { killTree, signalGroup, terminateGroups } from '../../executors/local/process-tree.ts';
import { messageOf } from '../../model/errors.ts';
import { OutputLog } from './output-log.ts';
import type { ProcessJournal } from './process-journal.ts';

export interface Command {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface ManagedOptions {
  /** Unique among the processes of a supervisor. */
  readonly name: string;
  /** Called for each start. */
  readonly command: () => Promise<Command>;
  readonly log: string;
  readonly stopSignal: NodeJS.Signals;
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface ProcessHost {
  readonly pipes: OutputPipes;
  readonly journal: ProcessJournal;
}

const graceMs = 10_000;
const firstPauseMs = 100;
const longestPauseMs = 10_000;
/** Who ran that long before it ended had started well. */
const soundMs = 60_000;

/** A process that is to run until it is stopped: when it ends by itself it is started again, each time after a longer pause. */
export class ManagedProcess {
  readonly #options: ManagedOptions;
  readonly #host: ProcessHost;
  readonly #log: OutputLog;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  #process: GatedProcess | undefined;
  #ends = 0;
  #lastWords = '';

  constructor(options: ManagedOptions, host: ProcessHost) {
    this.#options = options;
    this.#host = host;
    this.#log = new OutputLog(options.log);
    this.#done = this.#keepRunning();
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** How often it ended by itself, soon after its start. */
  get ends(): number {
    return this.#ends;
  }

  /** How it ended the last time, and what it wrote before that. */
  get lastWords(): string {
    return this.#lastWords;
  }

  /** Asks it to end, waits ten seconds, and kills what is left of it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #keepRunning(): Promise<void> {
    while (!this.#isStopping()) {
      const begun = performance.now();
      // What cannot even be started is like what ends at once.
      await this.#runOnce().catch((error: unknown) => (this.#lastWords = `it cannot be started: ${messageOf(error)}`));
      if (this.#isStopping()) return;
      this.#ends = performance.now() - begun >= soundMs ? 1 : this.#ends + 1;
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#ends - 1));
      await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  async #runOnce(): Promise<void> {
    const { journal, pipes } = this.#host;
    const { name, user, stopSignal } = this.#options;
    const marker = journal.markerOf(name);
    const command = await this.#options.command();
    const pipe = await pipes.open();
    this.#log.begin();
    const pump = new OutputPump(pipe.reader, (chunk) => {
      this.#log.add(chunk);
      return Promise.resolve();
    });
    const started = await startGated({ ...command, marker, output: pipe.writer, ...(user && { user }) }).finally(() =>
      closeSync(pipe.writer),
    );
    journal.add(started.identity);
    const { pid } = started.identity;
    const stop = (): boolean => signalGroup(pid, stopSignal);
    this.#stopping.signal.addEventListener('abort', stop);
    if (this.#stopping.signal.aborted) stop();
    this.#process = started;
    started.release();
    try {
      const end = await this.#endOf(started);
      this.#process = undefined;
      await killTree({ marker, groups: [pid] });
      await pump.finish();
      this.#lastWords = wordsOf(end, this.#log.lastLines);
    } finally {
      this.#process = undefined;
      this.#stopping.signal.removeEventListener('abort', stop);
    }
  }

  /** Its own end, or that of its grace once it is to be stopped. */
  async #endOf({ ended, identity }: GatedProcess): Promise<ProcessEnd> {
    const { signal } = this.#stopping;
    const stopped = Promise.withResolvers<undefined>();
    const wake = (): void => stopped.resolve(undefined);
    signal.addEventListener('abort', wake);
    if (signal.aborted) wake();
    const end = await Promise.race([ended, stopped.promise]);
    signal.removeEventListener('abort', wake);
    if (end !== undefined) return end;
    await terminateGroups([identity.pid], AbortSignal.timeout(graceMs));
    signalGroup(identity.pid, 'SIGKILL');
    return ended;
  }
}

function wordsOf(end: ProcessEnd, lines: string): string {
  const how = 'signal' in end ? `was ended by ${end.signal}` : `ended with exit code ${end.code}`;
  return lines === '' ? `it ${how} and wrote nothing` : `it ${how}; its last lines:\n${lines}`;
}
