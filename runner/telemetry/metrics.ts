import { channel } from 'node:diagnostics_channel';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { StoredEvent } from '../model/run-event.ts';
import type { Intake } from '../store/intake.ts';
import { storeCalls } from '../store/store-calls.ts';
import type { StoreCall } from '../store/store-calls.ts';
import { attemptSpans } from './attempt-spans.ts';

/** What became of a request to a hook. */
export type HookOutcome = 'run' | 'duplicate' | 'ignored' | 'refused' | 'malformed' | 'failed';

/** Figures of this process for Prometheus. No label has values that users choose, so that their number is bounded. */
export interface Metrics {
  hookAnswered(outcome: HookOutcome): void;
  runEnded(events: readonly StoredEvent[]): void;
  /** In the text format of Prometheus. */
  text(): Promise<string>;
  /** Listens to the store no longer. */
  close(): void;
}

const seconds = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3_600];
const storeSeconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** `queueDepth` is asked at each look. */
export function createMetrics({ queueDepth }: Pick<Intake, 'queueDepth'>): Metrics {
  const registers = [new Registry()];
  const [register = new Registry()] = registers;
  collectDefaultMetrics({ register });
  const hooks = new Counter({
    name: 'sluice_hook_deliveries_total',
    help: 'Deliveries of forges by what became of them',
    labelNames: ['outcome'],
    registers,
  });
  new Gauge({
    name: 'sluice_queued_runs',
    help: 'Runs in the database that nobody has begun: ready for a runner, or held for a review',
    labelNames: ['state'],
    registers,
    async collect() {
      const { ready, held } = await queueDepth();
      this.set({ state: 'ready' }, ready);
      this.set({ state: 'held' }, held);
    },
  });
  const store = new Histogram({
    name: 'sluice_store_seconds',
    help: 'How long the store took for a read or a durable write, failed ones included',
    labelNames: ['kind', 'ok'],
    buckets: storeSeconds,
    registers,
  });
  const observe = (message: unknown): void => {
    const { kind, ms, ok } = message as StoreCall;
    store.observe({ kind, ok: String(ok) }, ms / 1_000);
  };
  const calls = channel(storeCalls);
  calls.subscribe(observe);
  const recordRun = runFigures(registers);
  return {
    hookAnswered: (outcome) => hooks.inc({ outcome }),
    runEnded: recordRun,
    text: () => register.metrics(),
    close: () => {
      calls.unsubscribe(observe);
    },
  };
}

/** What runs are measured by, once they have ended in this process. */
function runFigures(registers: Registry[]): Metrics['runEnded'] {
  const runs = new Counter({
    name: 'sluice_runs_total',
    help: 'Runs that ended, by outcome and reason',
    labelNames: ['outcome', 'reason'],
    registers,
  });
  const queue = new Histogram({
    name: 'sluice_run_queue_seconds',
    help: 'From the request of a run until a runner had read its pipeline',
    buckets: seconds,
    registers,
  });
  const attempts = new Counter({
    name: 'sluice_attempts_total',
    help: 'Attempts of steps that ended, by outcome and reason; `errored` is the infrastructure',
    labelNames: ['outcome', 'reason'],
    registers,
  });
  const start = new Histogram({
    name: 'sluice_step_start_seconds',
    help: 'From the decision to begin an attempt until its command ran',
    buckets: seconds,
    registers,
  });
  return (events) => {
    const [first] = events;
    const created = events.find((event) => event.type === 'run-created');
    if (first?.type === 'run-requested' && created) queue.observe((created.at - first.at) / 1_000);
    for (const { startedAt, runningAt, result } of attemptSpans(events)) {
      attempts.inc({ outcome: result.outcome, reason: result.reason ?? '' });
      if (runningAt !== undefined) start.observe(Math.max(0, runningAt - startedAt) / 1_000);
    }
    const end = events.findLast((event) => event.type === 'run-finished');
    if (end) runs.inc({ outcome: end.verdict.outcome, reason: end.verdict.reason ?? '' });
  };
}
