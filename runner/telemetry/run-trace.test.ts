import test from 'ava';
import type { RunEvent, StoredEvent } from '../model/run-event.ts';
import { createMetrics } from './metrics.ts';
import { runTrace } from './run-trace.ts';

const trigger = {
  event: 'push',
  ref: 'refs/heads/main',
  branch: 'main',
  tag: '',
  commit: 'c0ffee',
  actor: 'ada',
} as const;
const request = { repository: 'shop', trigger, file: 'sluice.yaml', dirty: false };
const created = (at: number): RunEvent => ({
  type: 'run-created',
  at,
  runId: 'r1',
  request,
  pipeline: 'shop',
  group: '',
  plan: '',
  snapshot: '',
  executor: 'local',
  carried: {},
});
const record = { artifacts: 0, outputs: {}, notes: [] };
const unit = { step: 'unit', attempt: 1 };

function stored(...events: readonly RunEvent[]): readonly StoredEvent[] {
  return events.map((event, index) => ({ ...event, version: index + 1 }));
}

const events = stored(
  { type: 'run-requested', at: 1_000, runId: 'r1', request },
  created(3_000),
  { type: 'run-started', at: 3_010 },
  { type: 'attempt-started', at: 3_020, ...unit },
  { type: 'attempt-placed', at: 4_000, ...unit, place: {} },
  {
    type: 'attempt-finished',
    at: 6_000,
    ...unit,
    next: { kind: 'retry', notBefore: 6_000, cause: 'infra' },
    result: { ...record, outcome: 'errored', reason: 'node_lost' },
  },
  { type: 'attempt-started', at: 6_010, step: 'unit', attempt: 2 },
  {
    type: 'attempt-finished',
    at: 9_000,
    step: 'unit',
    attempt: 2,
    next: { kind: 'settle' },
    result: { ...record, outcome: 'failed', reason: 'exit_code', exitCode: 3, startedAt: 7_010, message: 'a secret?' },
  },
  { type: 'run-finished', at: 9_100, verdict: { outcome: 'failed' } },
);

test('a run is a span with its time in the queue, its steps and their attempts, and without what they said', (t) => {
  const trace = runTrace(events);
  t.like(trace, { name: 'run shop', startAt: 1_000, endAt: 9_100, outcome: 'failed' });
  t.like(trace?.attributes, { 'sluice.run.id': 'r1', 'vcs.ref.head.revision': 'c0ffee' });
  const [queue, step] = trace?.children ?? [];
  t.like(queue, { name: 'queue', startAt: 1_000, endAt: 3_000 });
  t.like(step, { name: 'step unit', startAt: 3_020, endAt: 9_000, outcome: 'failed' });
  const [first, second] = step?.children ?? [];
  t.like(first, { name: 'attempt 1', attributes: { 'sluice.reason': 'node_lost', 'sluice.start_latency_ms': 980 } });
  t.like(second, { startAt: 6_010, attributes: { 'process.exit.code': 3, 'sluice.start_latency_ms': 1_000 } });
  t.false(JSON.stringify(trace).includes('a secret?'));
  t.is(runTrace(events.slice(0, -1)), undefined);
});

test('runs, queue, attempts and starts of steps are counted, and no label is a name that users choose', async (t) => {
  const metrics = createMetrics({ queueDepth: () => Promise.resolve({ ready: 7, held: 1 }) });
  t.teardown(() => metrics.close());
  metrics.runEnded(events);
  metrics.hookAnswered('duplicate');
  const text = await metrics.text();
  for (const line of [
    'sluice_runs_total{outcome="failed",reason=""} 1',
    'sluice_run_queue_seconds_sum 2',
    'sluice_queued_runs{state="ready"} 7',
    'sluice_queued_runs{state="held"} 1',
    'sluice_attempts_total{outcome="errored",reason="node_lost"} 1',
    'sluice_attempts_total{outcome="failed",reason="exit_code"} 1',
    'sluice_step_start_seconds_count 2',
    'sluice_hook_deliveries_total{outcome="duplicate"} 1',
  ])
    t.true(text.split('\n').includes(line), line);
  t.regex(text, /^process_resident_memory_bytes \d/m);
  for (const name of ['shop', 'unit', 'ada', 'c0ffee', 'r1']) t.notRegex(text, new RegExp(`"${name}"`));
});
