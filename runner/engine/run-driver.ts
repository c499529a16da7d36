import type { Command } from '../model/command.ts';
import { SluiceError } from '../model/errors.ts';
import { verdictOf } from '../model/outcome.ts';
import type { PlanStep, RunStep, StepId } from '../model/plan.ts';
import type { RunEvent } from '../model/run-event.ts';
import type { RunState } from '../model/run-state.ts';
import type { AttemptKey } from '../model/result.ts';
import { decide } from '../scheduler/decide.ts';
import { evolveAll } from '../scheduler/evolve.ts';
import { lookAhead } from '../scheduler/look-ahead.ts';
import { needsOf } from '../scheduler/needs-of.ts';
import { nextAfter } from '../scheduler/retry.ts';
import type { StopReason } from '../executors/executor.ts';
import { backendOf, runAttempt } from './attempt.ts';
import type { AttemptTask } from './attempt.ts';
import { ConcurrencyGroups } from './concurrency-groups.ts';
import type { EngineDependencies } from './dependencies.ts';
import type { RunObserver } from './engine.ts';
import type { Journal } from './journal.ts';

/** How often the store is asked for wishes from other processes: cancel, approval, a group that became free. */
const pollMs = 250;

/** How often a run that waits for a group looks whether the process of its holder is gone. */
const recoverMs = 5_000;

interface Start {
  readonly step: RunStep;
  readonly attempt: number;
}

/**
 * The loop of one run: decide, record, act, wait. It holds no state of its own that matters: killed at any point, another
 * driver over the same events goes on.
 */
export class RunDriver {
  readonly #engine: EngineDependencies;
  readonly #journal: Journal;
  readonly #observer: RunObserver;
  readonly #groups: ConcurrencyGroups;
  readonly #recoverOthers: () => Promise<unknown>;
  readonly #steps: ReadonlyMap<StepId, PlanStep>;
  readonly #attempts = new Map<StepId, { readonly stop: AbortController; readonly ended: Promise<void> }>();
  #wake = Promise.withResolvers<undefined>();
  /** Prepared attempts that have not begun. */
  readonly #warm = new Map<StepId, AttemptKey>();
  #failure: { readonly error: unknown } | undefined;

  #closing = false;
  #nextRecovery = 0;

  constructor(
    engine: EngineDependencies,
    journal: Journal,
    observer: RunObserver,
    recoverOthers: () => Promise<unknown>,
  ) {
    this.#engine = engine;
    this.#journal = journal;
    this.#observer = observer;
    this.#recoverOthers = recoverOthers;
    this.#groups = new ConcurrencyGroups(engine.store, journal.lease);
    this.#steps = new Map(journal.state.plan.steps.map((step) => [step.id, step]));
  }

  async drive(signal: AbortSignal): Promise<RunState> {
    const interrupt = (): void => this.#notify();
    const { lost } = this.#journal.lease;
    const lose = (): void => this.#fail(tooLate(this.#journal.state.runId));
    signal.addEventListener('abort', interrupt);
    lost?.addEventListener('abort', lose);
    if (lost?.aborted) lose();
    try {
      this.#adoptLost();
      await this.#loop(signal);
    } finally {
      signal.removeEventListener('abort', interrupt);
      lost?.removeEventListener('abort', lose);
      this.#closing = true;
      const reason: StopReason = this.#givesUp ? 'runner_lost' : 'cancelled';
      for (const { stop } of this.#attempts.values()) stop.abort(reason);
      while (this.#attempts.size > 0) await Promise.all([...this.#attempts.values()].map(({ ended }) => ended));
      // What was prepared may be what the next runner of the run begins with.
      if (!this.#givesUp) for (const [id, key] of this.#warm) this.#cool(id, key);
    }
    return this.#journal.state;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#notify();
  }

  /** What cannot be recorded here is for whoever drives the run next, which another process may do already. */
  get #givesUp(): boolean {
    return this.#failure !== undefined;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    let changes = await this.#engine.store.changes();
    while (this.#journal.state.phase !== 'finished') {
      if (this.#failure) throw this.#failure.error;
      this.#wake = Promise.withResolvers();
      if (signal.aborted && !this.#journal.state.cancel) await this.#interrupted();
      const { state } = this.#journal;
      const commands = this.#decide(state);
      if (await this.#carryOut(commands, state)) continue;
      this.#warmUp();
      await this.#freeGroupsOfDeadRuns();
      await this.#wait(commands);
      const seen = await this.#engine.store.changes();
      if (seen === changes) continue;
      changes = seen;
      this.#groups.retry();
      await this.#journal.refresh();
    }
  }

  #decide(state: RunState): readonly Command[] {
    const { clock, capacity } = this.#engine;
    return decide(state, { now: clock(), capacity, blocked: this.#groups.blocked });
  }

  /** A holder that was killed frees its group only when somebody ends its run. */
  async #freeGroupsOfDeadRuns(): Promise<void> {
    const waits = this.#journal.state.phase === 'waiting' || this.#groups.blocked.size > 0;
    if (!waits || this.#engine.clock() < this.#nextRecovery) return;
    this.#nextRecovery = this.#engine.clock() + recoverMs;
    await this.#recoverOthers();
  }

  #interrupted(): Promise<void> {
    return this.#journal.record((state) =>
      state.cancel
        ? []
        : [{ type: 'cancel-requested', at: this.#engine.clock(), by: 'the command line', reason: 'interrupted' }],
    );
  }

  /** True when something was recorded, so that the next decision can be made at once. `decided` is what they follow from. */
  async #carryOut(commands: readonly Command[], decided: RunState): Promise<boolean> {
    let started: Start[] = [];
    const events: RunEvent[] = [];
    for (const command of commands) {
      if (command.do === 'start-attempt') {
        const step = this.#steps.get(command.step);
        if (step?.kind !== 'run') continue;
        const entered = await this.#groups.enterStep(step);
        if (entered === 'busy') events.push(this.#settled(step.id, verdictOf('group_busy')));
        if (entered !== 'entered') continue;
        started.push({ step, attempt: command.attempt });
      }
      if (command.do === 'stop-attempt')
        this.#attempts.get(command.step)?.stop.abort(command.reason satisfies StopReason);
      events.push(...(await this.#eventsOf(command)));
    }
    if (events.length === 0) return false;
    await this.#journal.record((state) => {
      if (state === decided) return events;
      // The end of an attempt came first and may have taken the place: what starts now is decided again.
      started = [];
      return events.filter(({ type }) => type !== 'attempt-started');
    });
    for (const { step, attempt } of started) this.#launch(step, attempt);
    return true;
  }

  async #eventsOf(command: Command): Promise<readonly RunEvent[]> {
    const at = this.#engine.clock();
    switch (command.do) {
      case 'start-run':
        return this.#groups.enterRun(this.#journal.state, at);
      case 'start-attempt':
        return [{ type: 'attempt-started', at, step: command.step, attempt: command.attempt }];
      case 'settle':
        return [{ type: 'step-settled', at, step: command.step, verdict: command.verdict, outputs: command.outputs }];
      case 'request-approval':
        return [
          {
            type: 'approval-requested',
            at,
            step: command.step,
            message: command.message,
            expiresAt: command.expiresAt,
          },
        ];
      case 'cancel-run':
        return [{ type: 'cancel-requested', at, by: command.by, reason: command.reason }];
      case 'finish-run':
        return [{ type: 'run-finished', at, verdict: command.verdict }];
      case 'stop-attempt':
      case 'wake':
        return [];
    }
  }

  #settled(step: StepId, verdict: ReturnType<typeof verdictOf>): RunEvent {
    return { type: 'step-settled', at: this.#engine.clock(), step, verdict, outputs: {} };
  }

  /** Attempts that a process which is gone left under way. */
  #adoptLost(): void {
    for (const [id, { phase, attempts }] of this.#journal.state.steps) {
      const step = this.#steps.get(id);
      const attempt = attempts.at(-1);
      if (phase === 'running' && step?.kind === 'run' && attempt)
        this.#launch(step, attempt.number, { place: attempt.place });
    }
  }

  #launch(step: RunStep, attempt: number, lost?: AttemptTask['lost']): void {
    this.#warm.delete(step.id);
    const stop = new AbortController();
    if (this.#closing) stop.abort('cancelled' satisfies StopReason);
    const ended = this.#runAttempt(step, attempt, stop.signal, lost)
      .catch((error: unknown) => this.#fail(error))
      .then(() => {
        this.#attempts.delete(step.id);
        this.#notify();
      });
    this.#attempts.set(step.id, { stop, ended });
  }

  async #runAttempt(step: RunStep, attempt: number, signal: AbortSignal, lost?: AttemptTask['lost']): Promise<void> {
    const { clock } = this.#engine;
    const seen = await runAttempt(this.#engine, {
      lease: this.#journal.lease,
      state: this.#journal.state,
      step,
      attempt,
      signal,
      observer: (chunk) => this.#observer.log(step.id, attempt, chunk),
      placed: async (place) => {
        await this.#journal.record(() => [{ type: 'attempt-placed', at: clock(), step: step.id, attempt, place }]);
        this.#notify();
      },
      waiting: (lacks) => {
        const { reason = '', message = '' } = lacks ?? {};
        return this.#journal.record(() => [
          { type: 'attempt-waiting', at: clock(), step: step.id, attempt, reason, message },
        ]);
      },
      reported: (word) =>
        this.#recordAndFollow(step.id, () => ({ type: 'attempt-reported', at: clock(), step: step.id, attempt, word })),
      ...(lost && { lost }),
    });
    // Whoever drives the run now finds out by itself.
    if (this.#givesUp) return;
    await this.#needsEnded(step);
    await this.#recordAndFollow(step.id, (state) => {
      const current = state.steps.get(step.id);
      if (!current) return undefined;
      const stands = seen.outcome === 'cancelled' || hasProvenNeeds(state, step);
      const result = stands ? seen : { ...seen, ...verdictOf('unproven') };
      const at = clock();
      const next = nextAfter(step, current, result, at, state.cancel !== undefined && !step.finally);
      return { type: 'attempt-finished', at, step: step.id, attempt, result, next };
    });
    this.#engine.executor.release({ runId: this.#journal.state.runId, step: step.id, attempt });
    await this.#groups.leaveStep(step);
  }

  /** An event of an attempt and what begins after it are one transaction: each is a write that the disk is waited for. */
  async #recordAndFollow(id: StepId, make: (state: RunState) => RunEvent | undefined): Promise<void> {
    let following: readonly Start[] = [];
    await this.#journal.record((state) => {
      const event = make(state);
      if (!event) return [];
      following = this.#startsAfter(evolveAll(state, [event]), id);
      const { at } = event;
      return [
        event,
        ...following.map(({ step, attempt }): RunEvent => ({ type: 'attempt-started', at, step: step.id, attempt })),
      ];
    });
    for (const { step, attempt } of following) this.#launch(step, attempt);
  }

  /** A step that was begun on the word of others ends only when that is proven or refuted. */
  async #needsEnded(step: RunStep): Promise<void> {
    const needed = step.needs.flatMap((need) => need.steps);
    await Promise.all(needed.flatMap((id) => this.#attempts.get(id)?.ended ?? []));
  }

  /** Has attempts prepared that will begin soon, and lets go of those that will not after all. */
  #warmUp(): void {
    const { clock, executor, lookAhead: budget } = this.#engine;
    if (!executor.warm) return;
    const { state } = this.#journal;
    const ahead = lookAhead(state, budget, clock());
    for (const [id, key] of this.#warm) {
      if (!ahead.some((step) => step.id === id)) this.#cool(id, key);
    }
    for (const step of ahead) {
      if (this.#warm.has(step.id)) continue;
      const attempt = (state.steps.get(step.id)?.attempts.length ?? 0) + 1;
      this.#warm.set(step.id, { runId: state.runId, step: step.id, attempt });
      executor.warm({ runId: state.runId, step, attempt, ...backendOf(state) });
    }
  }

  #cool(id: StepId, key: AttemptKey): void {
    this.#warm.delete(id);
    this.#engine.executor.release(key);
  }

  /** Attempts that can begin without asking anybody, such as for a group. Of the step that just ended the loop decides. */
  #startsAfter(state: RunState, ended: StepId): readonly Start[] {
    if (this.#closing) return [];
    return this.#decide(state).flatMap((command) => {
      const step = command.do === 'start-attempt' && command.step !== ended ? this.#steps.get(command.step) : undefined;
      if (command.do !== 'start-attempt' || step?.kind !== 'run' || step.concurrency) return [];
      return [{ step, attempt: command.attempt }];
    });
  }

  async #wait(commands: readonly Command[]): Promise<void> {
    const now = this.#engine.clock();
    const until = Math.min(...commands.flatMap((command) => (command.do === 'wake' ? [command.at] : [])));
    const timeout = Math.max(1, Math.min(pollMs, until - now));
    const timer = setTimeout(() => this.#notify(), timeout);
    await this.#wake.promise;
    clearTimeout(timer);
  }

  #notify(): void {
    this.#wake.resolve(undefined);
  }
}

function tooLate(runId: string): SluiceError {
  const message = `This process could not say in time that it still drives run ${runId}; another may take it over.`;
  return new SluiceError('ERR_CONFLICT', message, {
    hint: `Check the connection to the database, then go on with: sluice resume ${runId}`,
  });
}

/** What is recorded of a step has to stand on what is recorded of those that it needs. */
function hasProvenNeeds(state: RunState, step: RunStep): boolean {
  return (
    step.needs.flatMap((need) => need.steps).every((id) => state.steps.get(id)?.phase === 'settled') &&
    needsOf(state, step).kind === 'satisfied'
  );
}
