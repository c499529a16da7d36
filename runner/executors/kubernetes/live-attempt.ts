import { setTimeout as sleep } from 'node:timers/promises';
import type { Collected } from '../../agent/protocol.ts';
import { AttemptEnded } from '../../model/attempt-ended.ts';
import type { Verdict } from '../../model/outcome.ts';
import type { AttemptWaiting } from '../../model/run-event.ts';
import type { AttemptContext, AttemptOutcome, AttemptSpec, StopReason } from '../executor.ts';
import type { StepAccess } from './backend-namespaces.ts';
import type { AgentDesk } from './agent-desk.ts';
import type { AttemptPod } from './attempt-pod.ts';
import { nextMove } from './next-move.ts';
import type { AttemptView, Move } from './next-move.ts';
import { workOf } from './work-of.ts';
import type { PodFacts } from './pod-facts.ts';
import type { PodService } from './pod-services.ts';
import type { KubernetesSettings } from './settings.ts';

export interface LiveAttemptParts {
  readonly spec: AttemptSpec;
  readonly context: AttemptContext;
  readonly services: readonly PodService[];
  readonly access?: StepAccess;
  readonly settings: KubernetesSettings;
  readonly desk: AgentDesk;
  readonly pod: AttemptPod;
  /** Aborted with a StopReason: the engine's wish, or the executor that closes. */
  readonly signal: AbortSignal;
  readonly clock: () => number;
}

/** What a move is decided by, and what people are told beside it. */
type Seen = AttemptView & Pick<PodFacts, 'waiting' | 'evidence'>;

const answerMs = 30_000;
const returnMs = 120_000;
const longestTimerMs = 60_000;

/** One attempt from its Job to its outcome: looks at what is known, makes the next move, waits for news. */
export class LiveAttempt {
  readonly #parts: LiveAttemptParts;
  readonly #stopped = Promise.withResolvers<undefined>();
  readonly #takenAt: number;
  #stop: StopReason | undefined;
  #released = false;
  #placed = false;
  #askedToStopAt: number | undefined;
  #askedToCollect = false;
  #killedAt: number | undefined;
  #doom: Verdict | undefined;
  #collectedAt: number | undefined;
  #heardAt: number | undefined;
  #deadline: number | undefined;
  #waiting: AttemptWaiting | undefined;
  #reported = false;

  constructor(parts: LiveAttemptParts) {
    this.#parts = parts;
    this.#takenAt = parts.clock();
  }

  /** Rejects when `placed` or the log do; the pod is deleted then. */
  async run(): Promise<AttemptOutcome> {
    const { signal, pod } = this.#parts;
    const stop = (): void => this.#requestStop(signal.reason as StopReason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    try {
      await this.#create();
      return await this.#live();
    } catch (error) {
      const isOutcome = error instanceof AttemptEnded;
      const isOurs = this.#stop !== 'runner_lost';
      if (isOurs && (pod.adopts || !isOutcome)) await pod.end().catch(() => undefined);
      if (!isOutcome) throw error;
      return { ...error.verdict, files: [], output: '', caches: {} };
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Whoever may run already can be stopped only once its Job is found. */
  async #create(): Promise<void> {
    const { pod } = this.#parts;
    if (this.#stop !== undefined && !pod.adopts) throw new AttemptEnded(this.#stop);
    const created = pod.create().then(() => true);
    created.catch(() => undefined);
    for (;;) {
      const stop = this.#stop;
      this.#leaveToOthers();
      if (stop !== undefined && !pod.adopts) throw new AttemptEnded(stop);
      const news = [pod.changed(), ...(stop === undefined ? [this.#stopped.promise] : [])].map((some) =>
        some.then(() => false),
      );
      if (await Promise.race([created, ...news])) return;
      const { trouble } = pod;
      await this.#tellWaiting(trouble === undefined ? undefined : { reason: 'cluster_unreachable', message: trouble });
    }
  }

  async #live(): Promise<AttemptOutcome> {
    const { desk, pod } = this.#parts;
    for (;;) {
      const news = [desk.changed(), pod.changed(), this.#stopped.promise];
      this.#leaveToOthers();
      if (desk.failure !== undefined) throw desk.failure;
      const view = this.#view();
      await this.#tell(view);
      const { graceMs, placeMs: removalMs } = this.#parts.settings;
      const move = nextMove(view, { graceMs, answerMs, returnMs, removalMs });
      if (move.do === 'finish') return this.#outcome(move.verdict, move.results, view);
      if (move.do === 'wait') await this.#wait(news, Math.min(move.until, this.#deadline ?? Infinity));
      else await this.#make(move);
    }
  }

  #view(): Seen {
    const { desk, pod, clock } = this.#parts;
    const now = clock();
    const agent = desk.state;
    if (agent?.phase === 'running') this.#startTimer(agent.startedAt, now);
    if (agent !== undefined) this.#heardAt ??= now;
    if (agent?.phase === 'collected') this.#collectedAt ??= now;
    if (this.#deadline !== undefined && now >= this.#deadline && agent?.phase === 'running')
      this.#requestStop('timeout');
    return {
      now,
      agent,
      ...pod.facts(now),
      stop: this.#stop,
      heardAt: this.#heardAt,
      released: this.#released,
      begunBefore: agent === undefined ? pod.wasPlaced : desk.isObeyed,
      takenAt: this.#takenAt,
      toldAt: pod.toldAt,
      askedToStopAt: this.#askedToStopAt,
      askedToCollect: this.#askedToCollect,
      killedAt: this.#killedAt,
      doom: this.#doom,
      lacksLog: desk.lacksLog,
      collectedAt: this.#collectedAt,
    };
  }

  /** From the start of the command, by the pod's clock unless that is ahead of ours. */
  #startTimer(startedAt: number, now: number): void {
    this.#deadline ??= Math.min(startedAt, now) + this.#parts.spec.step.timeoutMs;
  }

  /** The pod goes on, and the runner that drives the run now finds it. */
  #leaveToOthers(): void {
    if (this.#stop === 'runner_lost') throw new AttemptEnded('runner_lost');
  }

  #requestStop(reason: StopReason): void {
    if (reason === 'runner_lost') this.#stop = reason;
    this.#stop ??= reason;
    this.#stopped.resolve(undefined);
  }

  async #make(move: Exclude<Move, { do: 'wait' | 'finish' }>): Promise<void> {
    const { desk, pod, settings, clock } = this.#parts;
    switch (move.do) {
      case 'release':
        await this.#release();
        break;
      case 'ask-to-stop':
        this.#askedToStopAt = clock();
        desk.want({ do: 'stop', graceMs: settings.graceMs });
        break;
      case 'ask-to-collect':
        this.#askedToCollect = true;
        desk.want({ do: 'collect', ...(move.exitCode !== undefined && { exitCode: move.exitCode }) });
        break;
      case 'kill':
        this.#killedAt = clock();
        this.#doom = move.verdict;
        // It asks until it is heard; what comes of it is seen by the pod alone.
        pod.kill().catch(() => undefined);
    }
  }

  /** On record first: whatever the command does then, it is known where. */
  async #release(): Promise<void> {
    const { desk, pod, context } = this.#parts;
    if (!this.#placed) await context.placed(pod.place());
    this.#placed = true;
    if (this.#stop !== undefined) return;
    const work = workOf(this.#parts);
    this.#released = true;
    desk.want({ do: 'run', work });
  }

  /** What others may begin to act on: why it waits, and the command's own word that it succeeded. */
  async #tell({ agent, waiting, kubelet }: Seen): Promise<void> {
    const { context } = this.#parts;
    const lacks = agent === undefined || agent.phase === 'waiting' ? waiting : undefined;
    await this.#tellWaiting(lacks);
    if (this.#reported || agent?.phase !== 'collected' || kubelet !== undefined || this.#stop !== undefined) return;
    this.#reported = true;
    if (agent.exitCode !== 0 || agent.results.problem !== undefined) return;
    await context.reported({ outcome: 'succeeded', exitCode: 0, ...agent.results });
  }

  async #tellWaiting(lacks: AttemptWaiting | undefined): Promise<void> {
    if (lacks?.message === this.#waiting?.message) return;
    this.#waiting = lacks;
    await this.#parts.context.waiting(lacks && { reason: lacks.reason, message: lacks.message });
  }

  async #wait(news: readonly Promise<unknown>[], until: number): Promise<void> {
    const timer = new AbortController();
    const ms = Math.min(longestTimerMs, Math.max(0, until - this.#parts.clock()));
    const late = sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined);
    const stopSeen = this.#stop !== undefined;
    await Promise.race([...(stopSeen ? news.slice(0, -1) : news), late]);
    timer.abort();
  }

  #outcome(verdict: Verdict, results: Collected | undefined, { agent, kubelet, evidence }: Seen): AttemptOutcome {
    const { context, desk } = this.#parts;
    if (verdict.outcome === 'errored' || verdict.reason === 'oom') {
      for (const line of evidence) context.note(`kubernetes: ${line}`);
    }
    for (const note of results?.notes ?? []) context.note(note);
    if (results?.problem && verdict.reason !== results.problem.reason) context.note(results.problem.message);
    const began = agent?.phase === 'ended' || agent?.phase === 'collected' ? agent : undefined;
    const startedAt = began?.startedAt ?? (agent?.phase === 'running' ? agent.startedAt : undefined);
    const complete = results !== undefined && results.log.complete && results.log.bytes === desk.logOffset;
    return {
      ...verdict,
      // A shell that was ended while it waited for its go says nothing of the command.
      ...((startedAt !== undefined || verdict.reason === 'start_error') && endOf(kubelet, began?.exitCode)),
      ...(startedAt !== undefined && { startedAt }),
      ...(began && { finishedAt: began.finishedAt }),
      files: results?.files ?? [],
      output: results?.output ?? '',
      caches: verdict.outcome === 'succeeded' ? (results?.caches ?? {}) : {},
      ...(verdict.outcome === 'succeeded' && results?.handover !== undefined && { handover: results.handover }),
      // A command that never began has nothing to say.
      logComplete: complete || startedAt === undefined,
    };
  }
}

function endOf(
  kubelet: AttemptView['kubelet'],
  shellWord: number | undefined,
): Pick<AttemptOutcome, 'exitCode' | 'signal'> {
  if (kubelet?.signal !== undefined) return { signal: kubelet.signal };
  const exitCode = kubelet?.exitCode ?? shellWord;
  return exitCode === undefined ? {} : { exitCode };
}
