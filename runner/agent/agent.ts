import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AttemptEnded } from '../model/attempt-ended.ts';
import { messageOf, SluiceError } from '../model/errors.ts';
import { verdictOf } from '../model/outcome.ts';
import type { BlobAccess } from '../workspace/blob-access.ts';
import { collectResults } from '../workspace/collect-results.ts';
import { prepareWorkspace, workingFolder } from '../workspace/prepare-workspace.ts';
import { awaitServices } from './await-services.ts';
import type { AgentFolders } from './folders.ts';
import { LogSpool } from './log-spool.ts';
import { Dismissed } from './runner-link.ts';
import type { RunnerLink } from './runner-link.ts';
import type { AgentState, Collected, CommandWord, Wish, Work } from './protocol.ts';
import { openGate } from './step-gate.ts';
import type { StepGate } from './step-gate.ts';

export interface AgentSurroundings {
  readonly folders: AgentFolders;
  /** A path in a place that the step cannot see. */
  readonly spool: string;
  readonly link: RunnerLink;
  /** Shows output of the step to people that look at the pod; settles when they have it. */
  readonly echo: (chunk: Uint8Array) => Promise<void>;
}

const logChunkBytes = 1_048_576;
const silenceMs = 2_000;
const echoMs = 10_000;
const retryMs = 1_000;

/**
 * What runs beside a step in its pod: makes the workspace, lets the command go, ships its output, collects its results, and
 * keeps all of it until the runner has it. Obeys the runner's wishes and outlives its absence.
 */
export class StepAgent {
  readonly #own: AgentSurroundings;
  readonly #gate: StepGate;
  /** Aborted when the command must not begin any more. */
  readonly #stopped = new AbortController();
  /** The kubelet's word, told by the runner, that the command's container has ended. */
  readonly #containerEnded = Promise.withResolvers<number | undefined>();
  readonly #leaving = new AbortController();
  #state: AgentState = { phase: 'waiting' };
  #changed = Promise.withResolvers<undefined>();
  #obeyed: Wish['do'] = 'wait';
  #working: Promise<void> | undefined;
  #output: LogSpool | undefined;
  #echoes = false;
  #heardAt = 0;

  constructor(surroundings: AgentSurroundings) {
    this.#own = surroundings;
    this.#gate = openGate(surroundings.folders, (chunk) => this.#hear(chunk));
  }

  /** Settles when the runner lets the agent go. */
  async run(): Promise<void> {
    const { link } = this.#own;
    const { signal } = this.#leaving;
    const told = this.#tell(signal);
    try {
      for (;;) {
        const wish = await link.wish({ state: this.#state, obeyed: this.#obeyed }, signal);
        if (wish.do !== 'wait') this.#obeyed = wish.do;
        if (wish.do === 'leave') return;
        if (wish.do === 'run') this.#working ??= this.#work(wish.work);
        if (wish.do === 'resend') void this.#resend(wish.offset);
        if (wish.do === 'collect') this.#containerEnded.resolve(wish.exitCode);
        if (wish.do === 'stop') this.#stop(wish.graceMs);
      }
    } catch (error) {
      if (!(error instanceof Dismissed || signal.aborted)) throw error;
    } finally {
      this.#leaving.abort();
      this.#changed.resolve(undefined);
      await told;
      link.close();
      this.#gate.close();
    }
  }

  /**
   * The kubelet asks everybody to end. The step gets the signal, which its shell as process 1 does not hand on; what it then
   * leaves is delivered as long as there is time. An agent that was never given work, or has delivered it, goes at once.
   */
  terminate(): void {
    if (this.#working !== undefined && this.#state.phase !== 'collected') this.#gate.signal('TERM', 'cluster');
    else this.#leaving.abort();
  }

  /** Tells each change beside the question under way, of several at once the last. The next question tells it too, to whoever answers then. */
  async #tell(signal: AbortSignal): Promise<void> {
    let told = this.#state;
    while (!signal.aborted) {
      const { promise } = this.#changed;
      if (told === this.#state) await promise;
      else {
        told = this.#state;
        await this.#own.link.state(told, signal).catch(() => undefined);
      }
    }
  }

  #become(state: AgentState): void {
    this.#state = state;
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers();
  }

  #stop(graceMs: number): void {
    this.#stopped.abort();
    this.#gate.signal('TERM', 'runner');
    void sleep(graceMs, undefined, { signal: this.#leaving.signal }).then(
      () => this.#gate.signal('KILL', 'runner'),
      () => undefined,
    );
  }

  /** Never rejects: whatever goes wrong is a state that the runner hears of. */
  async #work(work: Work): Promise<void> {
    const notes: string[] = [];
    try {
      await this.#carryOut(work, notes);
    } catch (error) {
      const { reason = 'agent_failed', message = messageOf(error) } =
        error instanceof AttemptEnded ? error.verdict : verdictOf('agent_failed', messageOf(error));
      this.#become({ phase: 'refused', reason, message, notes });
    }
  }

  async #carryOut(work: Work, notes: string[]): Promise<void> {
    const { folders } = this.#own;
    const { signal } = this.#stopped;
    const gate = this.#gate;
    const [commitUntilMs] = await unlessStopped(signal, () => {
      const tellsCommit = work.declared.junit.length > 0;
      const workspace = this.#untilReached((blobs) => prepareWorkspace(work, folders, blobs, signal, tellsCommit));
      return Promise.all([workspace, awaitServices(work.services, signal)]);
    });
    const spool = new LogSpool(this.#own.spool, work.maxLogBytes);
    this.#output = spool;
    this.#echoes = work.echo;
    const spooled = this.#endOfOutput(gate, spool);
    const shipped = this.#ship(spool);
    if (signal.aborted) throw new AttemptEnded('cancelled');
    gate.open({ ...work, folder: workingFolder(folders.workspace, work.workdir) });
    await this.#begun(gate);
    const startedAt = Date.now();
    this.#become({ phase: 'running', startedAt });
    const word = await this.#endOf(gate, startedAt);
    this.#become({ phase: 'ended', ...word });
    await spooled;
    const collected = await this.#collect(work, word, { notes, commitUntilMs });
    await shipped;
    this.#become({ phase: 'collected', ...word, results: { ...collected, log: spool.summary() } });
  }

  /** The image of the step may come long after the agent's; until then the go can be taken back. */
  async #begun(gate: StepGate): Promise<void> {
    const stopped = once(this.#stopped.signal, 'abort');
    await Promise.race([gate.begun, gate.word, this.#containerEnded.promise, stopped]);
    if (this.#stopped.signal.aborted && gate.revoke()) throw new AttemptEnded('cancelled');
  }

  async #endOf(gate: StepGate, startedAt: number): Promise<CommandWord> {
    const word = await Promise.race([
      gate.word,
      this.#containerEnded.promise.then((exitCode) => (exitCode === undefined ? {} : { exitCode })),
    ]);
    gate.shut();
    if ('missing' in word) throw new AttemptEnded('start_error', `there is no "${word.missing}" in the image`);
    return { startedAt, finishedAt: Date.now(), ...word };
  }

  async #hear(chunk: Uint8Array): Promise<void> {
    this.#output?.append(chunk);
    // Nothing can be heard before its container runtime has taken the copy, if that is there at all.
    this.#heardAt = performance.now() + echoMs;
    if (this.#echoes) await this.#own.echo(chunk);
    this.#heardAt = performance.now();
  }

  /** The spool ends with the pipe, or when that is silent for long after the command's end. */
  async #endOfOutput(gate: StepGate, spool: LogSpool): Promise<void> {
    const silent = async (): Promise<boolean> => {
      await Promise.race([gate.word, this.#containerEnded.promise]);
      // A command may have been silent for long: its end of the pipe is told a moment after its word.
      this.#heardAt = Math.max(this.#heardAt, performance.now());
      while (performance.now() - this.#heardAt < silenceMs) await sleep(silenceMs / 4);
      return true;
    };
    const cut = await Promise.race([gate.outputEnded.then(() => false), silent()]);
    gate.closeOutput();
    spool.end(cut);
  }

  /** Hands the output to the runner, from the offset that it last confirmed. */
  async #ship(spool: LogSpool, from = 0): Promise<void> {
    const buffer = Buffer.allocUnsafe(logChunkBytes);
    let stored = from;
    for (;;) {
      const changed = spool.changed();
      if (stored < spool.bytes) stored = await this.#own.link.log(stored, spool.read(stored, buffer));
      else if (spool.ended) return;
      else await changed;
    }
  }

  async #resend(offset: number): Promise<void> {
    if (this.#output === undefined) return;
    // Only being let go ends it early, and then nobody waits for it.
    await this.#ship(this.#output, offset).catch(() => undefined);
  }

  async #collect(
    work: Work,
    word: CommandWord,
    { notes, commitUntilMs }: { readonly notes: readonly string[]; readonly commitUntilMs: number },
  ): Promise<Omit<Collected, 'log'>> {
    const { folders } = this.#own;
    const { signal } = this.#leaving;
    return this.#untilReached(async (blobs) => {
      const remarks: string[] = [];
      const note = (text: string): unknown => remarks.push(text);
      const { declared, maxUploadBytes: maxBytes } = work;
      const collection = { declared, folders, commitUntilMs, blobs, maxBytes, note, signal };
      const { results, problem } = await collectResults(collection, word.exitCode === 0);
      const { reason, message = '' } = problem ?? {};
      return { ...results, notes: [...notes, ...remarks], ...(reason && { problem: { reason, message } }) };
    });
  }

  /** Again from the start when the runner went away meanwhile: what it has stored by then it knows by digest. */
  async #untilReached<Value>(act: (blobs: BlobAccess) => Promise<Value>): Promise<Value> {
    for (;;) {
      const blobs = new AttentiveBlobs(this.#own.link.blobs);
      try {
        const value = await act(blobs);
        if (!blobs.lost || this.#leaving.signal.aborted) return value;
      } catch (error) {
        if (!blobs.lost || this.#leaving.signal.aborted || this.#stopped.signal.aborted) throw error;
      }
      await sleep(retryMs);
    }
  }
}

/** Remembers whether the way to the blobs was lost, whatever its user makes of the error. */
class AttentiveBlobs implements BlobAccess {
  lost = false;
  readonly #blobs: BlobAccess;

  constructor(blobs: BlobAccess) {
    this.#blobs = blobs;
  }

  async open(sha256: string): Promise<Readable> {
    const content = await this.#attend(this.#blobs.open(sha256));
    return content.once('error', (error) => this.#notice(error));
  }

  put(content: Readable): ReturnType<BlobAccess['put']> {
    return this.#attend(this.#blobs.put(content));
  }

  async #attend<Value>(work: Promise<Value>): Promise<Value> {
    try {
      return await work;
    } catch (error) {
      this.#notice(error);
      throw error;
    }
  }

  #notice(error: unknown): void {
    this.lost ||= error instanceof SluiceError && error.code === 'ERR_SOURCE';
  }
}

/** Whatever goes wrong on the way once the command must not begin any more, that is the reason. */
async function unlessStopped<Value>(signal: AbortSignal, act: () => Promise<Value>): Promise<Value> {
  try {
    return await act();
  } catch (error) {
    throw signal.aborted ? new AttemptEnded('cancelled') : error;
  }
}
