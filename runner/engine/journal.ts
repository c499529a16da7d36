import { setImmediate } from 'node:timers/promises';
import { messageOf, SluiceError } from '../model/errors.ts';
import type { Plan } from '../model/plan.ts';
import type { RunEvent, StoredEvent } from '../model/run-event.ts';
import type { RunState } from '../model/run-state.ts';
import { evolve, evolveAll, replay } from '../scheduler/evolve.ts';
import type { Lease, Store } from '../store/store.ts';

interface Entry {
  readonly make: (state: RunState) => readonly RunEvent[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The one writer of a run's events in this process. Whoever records waits until the events are durable; those who wait
 * at the same time share one transaction. Events from outside (cancel, approval) are read in between.
 */
export class Journal {
  readonly #store: Store;
  readonly #lease: Lease;
  readonly #listener: (state: RunState, event: StoredEvent) => void;
  readonly #queue: Entry[] = [];
  #state: RunState;
  #flushing: Promise<void> | undefined;

  private constructor(
    store: Store,
    lease: Lease,
    state: RunState,
    listener: (state: RunState, event: StoredEvent) => void,
  ) {
    this.#store = store;
    this.#lease = lease;
    this.#state = state;
    this.#listener = listener;
  }

  /** Replays what is stored; the listener hears every event, the old ones too. */
  static async open(
    store: Store,
    lease: Lease,
    plan: Plan | undefined,
    listener: (state: RunState, event: StoredEvent) => void,
  ): Promise<Journal> {
    const events = await store.events(lease.runId);
    const begun =
      1 +
      Math.max(
        0,
        events.findIndex(({ type }) => type === 'run-created'),
      );
    const journal = new Journal(store, lease, replay(plan, events.slice(0, begun)), listener);
    for (const event of events.slice(0, begun)) listener(journal.#state, event);
    journal.#apply(events.slice(begun));
    return journal;
  }

  get lease(): Lease {
    return this.#lease;
  }

  get state(): RunState {
    return this.#state;
  }

  /** Resolves when the events are durable and part of the state. `make` sees the state that they will follow. */
  record(make: (state: RunState) => readonly RunEvent[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.#queue.push({ make, resolve: () => resolve(undefined), reject });
    this.#flushing ??= this.#flush();
    return promise;
  }

  /** Takes in what other processes have appended. */
  async refresh(): Promise<void> {
    await this.#flushing;
    this.#apply(await this.#store.events(this.#state.runId, this.#state.version));
  }

  async #flush(): Promise<void> {
    // Let everybody who records in this turn of the event loop join the transaction.
    await setImmediate();
    while (this.#queue.length > 0) {
      const entries = this.#queue.splice(0);
      try {
        await this.#append(entries);
        for (const entry of entries) entry.resolve();
      } catch (error) {
        for (const entry of entries) entry.reject(error);
      }
    }
    // In the same turn as the last look at the queue, so that nobody can join a flush that has ended.
    this.#flushing = undefined;
  }

  async #append(entries: readonly Entry[]): Promise<void> {
    for (;;) {
      const events = eventsOf(entries, this.#state);
      if (events.length === 0) return;
      const { version } = this.#state;
      try {
        await this.#store.append(this.#lease, version, events);
        this.#apply(events.map((event, index) => ({ ...event, version: version + index + 1 })));
        return;
      } catch (error) {
        if (!(error instanceof SluiceError && error.code === 'ERR_CONFLICT')) throw error;
        this.#apply(await this.#store.events(this.#state.runId, version));
        // Nothing new stands in the way, so it is the lease: another process drives the run now.
        if (this.#state.version === version) throw lost(this.#state.runId, error);
      }
    }
  }

  #apply(events: readonly StoredEvent[]): void {
    for (const event of events) {
      if (event.version <= this.#state.version) continue;
      this.#state = evolve(this.#state, event);
      this.#listener(this.#state, event);
    }
  }
}

/** What all of them record together: each sees the state that those before it make. */
function eventsOf(entries: readonly Entry[], state: RunState): readonly RunEvent[] {
  const events: RunEvent[] = [];
  let current = state;
  for (const [index, { make }] of entries.entries()) {
    const made = make(current);
    events.push(...made);
    if (index < entries.length - 1) current = evolveAll(current, made);
  }
  return events;
}

function lost(runId: string, cause: unknown): SluiceError {
  return new SluiceError('ERR_CONFLICT', `Run ${runId} is driven by another process now: ${messageOf(cause)}`, {
    cause,
  });
}
