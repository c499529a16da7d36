import type { Command } from '../model/command.ts';
import type { Verdict } from '../model/outcome.ts';
import type { Plan, PlanStep, RunStep, StepId } from '../model/plan.ts';
import type { AttemptRecord, RunEvent, StoredEvent } from '../model/run-event.ts';
import type { RunState } from '../model/run-state.ts';
import { decide } from './decide.ts';
import { evolve, replay } from './evolve.ts';
import { nextAfter } from './retry.ts';

/** A world in which every attempt ends as the script says, for tests of the scheduler: no clock, no I/O. */
export interface Script {
  readonly capacity: number;
  /** How attempt `number` of a step ends. */
  readonly result: (step: RunStep, number: number) => Verdict;
  /** Which of the attempts under way ends next. */
  readonly pick: (running: number) => number;
  /** Whether an attempt says that it succeeded before it ends, be that true or not. */
  readonly report?: (step: StepId) => boolean;
  /** Answer to an approval; undefined: nobody answers. */
  readonly approve?: (step: StepId) => boolean | undefined;
  /** The run is cancelled after this many events. */
  readonly cancelAfter?: number;
}

export interface Simulation {
  readonly state: RunState;
  readonly events: readonly StoredEvent[];
  /** Every state that the run went through. */
  readonly history: readonly RunState[];
}

const maxRounds = 20_000;

export function simulate(plan: Plan, script: Script): Simulation {
  return new World(plan, script).run();
}

class World {
  readonly #script: Script;
  readonly #steps: ReadonlyMap<StepId, PlanStep>;
  readonly #events: StoredEvent[];
  readonly #history: RunState[];
  #now = 1_000;

  constructor(plan: Plan, script: Script) {
    this.#script = script;
    this.#steps = new Map(plan.steps.map((step) => [step.id, step]));
    const created = { ...runCreated, at: this.#now, version: 1 };
    this.#events = [created];
    this.#history = [replay(plan, [created])];
  }

  run(): Simulation {
    for (let round = 0; this.#state.phase !== 'finished'; round++) {
      if (round > maxRounds) throw new Error(`The run did not end in ${maxRounds} rounds.`);
      this.#round();
    }
    return { state: this.#state, events: this.#events, history: this.#history };
  }

  #round(): void {
    const { capacity, cancelAfter } = this.#script;
    if (cancelAfter !== undefined && this.#events.length > cancelAfter && !this.#state.cancel) {
      this.#record({ type: 'cancel-requested', at: this.#now, by: 'test', reason: 'cancelled' });
    }
    const commands = decide(this.#state, { now: this.#now, capacity, blocked: new Set() });
    const before = this.#events.length;
    for (const command of commands) this.#carryOut(command);
    if (this.#events.length === before) this.#letTimePass(commands);
  }

  get #state(): RunState {
    const state = this.#history.at(-1);
    if (!state) throw new Error('A simulation begins with a state.');
    return state;
  }

  #carryOut(command: Command): void {
    const at = this.#now;
    if (command.do === 'request-approval') this.#ask(command);
    else if (command.do === 'stop-attempt') this.#end(command.step, { outcome: 'cancelled', reason: command.reason });
    else if (command.do !== 'wake') this.#record(eventOf(command, at));
  }

  #ask({ step, message, expiresAt }: Command & { readonly do: 'request-approval' }): void {
    this.#record({ type: 'approval-requested', at: this.#now, step, message, expiresAt });
    const approved = this.#script.approve?.(step);
    if (approved !== undefined)
      this.#record({ type: 'approval-given', at: this.#now, step, approved, by: 'test', comment: '' });
  }

  /** Nothing to decide: an attempt ends, or the clock moves to the next thing that is due. */
  #letTimePass(commands: readonly Command[]): void {
    const running = [...this.#state.steps].filter(([, { phase }]) => phase === 'running').map(([id]) => id);
    const ending = running.filter((id) => this.#mayEnd(id));
    const next = ending[this.#script.pick(ending.length) % Math.max(1, ending.length)];
    const step = next === undefined ? undefined : this.#steps.get(next);
    if (step?.kind === 'run') {
      this.#now += 10;
      if (this.#script.report?.(step.id) === true && !this.#state.steps.get(step.id)?.word) {
        const attempt = this.#state.steps.get(step.id)?.attempts.length ?? 0;
        this.#record({ type: 'attempt-reported', at: this.#now, step: step.id, attempt, word: { outputs: {} } });
        return;
      }
      this.#end(step.id, this.#script.result(step, this.#state.steps.get(step.id)?.attempts.length ?? 0));
      return;
    }
    const wake = commands.find((command) => command.do === 'wake')?.at ?? Infinity;
    if (!Number.isFinite(wake)) throw new Error('The run waits for nothing.');
    this.#now = Math.max(this.#now + 1, wake);
  }

  /** As the engine does: a step begun on the word of others ends after them. */
  #mayEnd(id: StepId): boolean {
    const needed = this.#steps.get(id)?.needs.flatMap((need) => need.steps) ?? [];
    return needed.every((other) => this.#state.steps.get(other)?.phase !== 'running');
  }

  #end(id: StepId, verdict: Verdict): void {
    const step = this.#steps.get(id);
    const current = this.#state.steps.get(id);
    if (step?.kind !== 'run' || !current) throw new Error(`${id} is no step that runs.`);
    const result: AttemptRecord = { ...verdict, artifacts: 0, outputs: {}, notes: [] };
    const next = nextAfter(step, current, result, this.#now, this.#state.cancel !== undefined && !step.finally);
    this.#record({ type: 'attempt-finished', at: this.#now, step: id, attempt: current.attempts.length, result, next });
  }

  #record(event: RunEvent): void {
    const stored = { ...event, version: this.#events.length + 1 };
    this.#events.push(stored);
    this.#history.push(evolve(this.#state, stored));
  }
}

type Recorded = Exclude<Command, { readonly do: 'request-approval' | 'stop-attempt' | 'wake' }>;

function eventOf(command: Recorded, at: number): RunEvent {
  switch (command.do) {
    case 'start-run':
      return { type: 'run-started', at };
    case 'start-attempt':
      return { type: 'attempt-started', at, step: command.step, attempt: command.attempt };
    case 'settle':
      return { type: 'step-settled', at, step: command.step, verdict: command.verdict, outputs: command.outputs };
    case 'cancel-run':
      return { type: 'cancel-requested', at, by: command.by, reason: command.reason };
    case 'finish-run':
      return { type: 'run-finished', at, verdict: command.verdict };
  }
}

const runCreated = {
  type: 'run-created',
  runId: 'test',
  request: {
    repository: 'test',
    trigger: {
      event: 'manual',
      ref: 'refs/heads/main',
      branch: 'main',
      tag: '',
      commit: '0'.repeat(40),
      actor: 'test',
    },
    file: 'sluice.yaml',
    dirty: false,
  },
  pipeline: 'test',
  group: '',
  plan: '',
  snapshot: '',
  executor: 'test',
  carried: {},
} as const;
