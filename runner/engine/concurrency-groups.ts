import type { RunEvent } from '../model/run-event.ts';
import type { RunState } from '../model/run-state.ts';
import { verdictOf } from '../model/outcome.ts';
import type { RunStep, StepId } from '../model/plan.ts';
import type { Lease, Store } from '../store/store.ts';

/** Concurrency groups as one run sees them. Who holds a group is known to the store alone; this keeps no count. */
export class ConcurrencyGroups {
  readonly #store: Store;
  readonly #lease: Lease;
  readonly #runId: string;
  readonly #blocked = new Set<StepId>();

  constructor(store: Store, lease: Lease) {
    this.#store = store;
    this.#lease = lease;
    this.#runId = lease.runId;
  }

  /** Steps that found their group held; asked again after `retry`. */
  get blocked(): ReadonlySet<StepId> {
    return this.#blocked;
  }

  retry(): void {
    this.#blocked.clear();
  }

  /** The events by which a run starts, waits or gives way. */
  async enterRun(state: RunState, at: number): Promise<readonly RunEvent[]> {
    const { concurrency } = state.plan;
    const started: RunEvent = { type: 'run-started', at };
    if (!concurrency) return [started];
    const { group, policy } = concurrency;
    const holder = (await this.#elder(state, group)) ?? (await this.#store.acquire(this.#lease, group, this.#runId));
    // After the group was asked for: whoever holds it is known to be of the group by now.
    const newer = policy === 'cancel' ? await this.#newer(state, group) : undefined;
    if (newer !== undefined) {
      return [{ type: 'run-finished', at, verdict: verdictOf('superseded', `run ${newer} is newer`) }];
    }
    if (holder === this.#runId) return [started];
    if (policy === 'reject') {
      return [{ type: 'run-finished', at, verdict: verdictOf('group_busy', `${group} is held by run ${holder}`) }];
    }
    if (state.waitingFor?.holder === holder) return [];
    if (policy === 'cancel') await this.#supersede(state, group, holder, at);
    return [{ type: 'run-waiting', at, group, holder }];
  }

  async enterStep(step: RunStep): Promise<'entered' | 'blocked' | 'busy'> {
    if (!step.concurrency) return 'entered';
    const { group, policy } = step.concurrency;
    const asker = this.#holder(step);
    const holder = await this.#store.acquire(this.#lease, group, asker);
    if (holder === asker) return 'entered';
    if (policy === 'reject') return 'busy';
    this.#blocked.add(step.id);
    return 'blocked';
  }

  async leaveStep(step: RunStep): Promise<void> {
    if (step.concurrency) await this.#store.release(this.#lease, step.concurrency.group, this.#holder(step));
  }

  /** First come, first served: the oldest other run that waits for the group, unless newer ones take its place. */
  async #elder(state: RunState, group: string): Promise<string | undefined> {
    if (state.plan.concurrency?.policy !== 'queue') return undefined;
    const dead = new Set((await this.#store.abandoned()).map(({ runId }) => runId));
    const waiting = await this.#store.runs({ group, phase: 'waiting' });
    const elder = waiting.filter(
      ({ runId, createdAt }) => runId !== this.#runId && createdAt < state.createdAt && !dead.has(runId),
    );
    return elder.at(-1)?.runId;
  }

  /** A run that the queue let go first, by its priority or to another runner, has taken the place of this one already. */
  async #newer(state: RunState, group: string): Promise<string | undefined> {
    const [newest] = await this.#store.runs({ group, limit: 1 });
    return newest && newest.createdAt > state.createdAt ? newest.runId : undefined;
  }

  /** A newer run takes the place of the holder and of every older run that waits. */
  async #supersede(state: RunState, group: string, holder: string, at: number): Promise<void> {
    const waiting = await this.#store.runs({ group, phase: 'waiting' });
    const older = waiting.filter(({ createdAt }) => createdAt < state.createdAt).map(({ runId }) => runId);
    const [holding] = holder.split('/', 1);
    for (const runId of new Set([...(holding === undefined ? [] : [holding]), ...older])) {
      if (runId === this.#runId) continue;
      await this.#store.request(runId, {
        type: 'cancel-requested',
        at,
        by: `run ${this.#runId}`,
        reason: 'superseded',
      });
    }
  }

  #holder(step: RunStep): string {
    return `${this.#runId}/${step.id}`;
  }
}
