import type { Verdict } from '../model/outcome.ts';
import type { StoredEvent } from '../model/run-event.ts';
import type { TraceParent } from '../model/trace-parent.ts';
import { attemptSpans } from './attempt-spans.ts';
import type { AttemptSpan } from './attempt-spans.ts';

type Attributes = Readonly<Record<string, string | number>>;

/** A span with those inside it. Times in ms since the epoch; no text of a log, command or message is part of it. */
export interface TraceSpan {
  readonly name: string;
  readonly startAt: number;
  readonly endAt: number;
  readonly outcome: Verdict['outcome'];
  readonly attributes: Attributes;
  readonly children: readonly TraceSpan[];
}

/** The span of a run, and the span of whoever asked for it. */
export interface RunTrace extends TraceSpan {
  readonly parent?: TraceParent;
}

/** The run, in it how long it was queued and its steps, in those their attempts. Undefined for a run that has not ended. */
export function runTrace(events: readonly StoredEvent[]): RunTrace | undefined {
  const [first] = events;
  const end = events.findLast((event) => event.type === 'run-finished');
  if (!end || (first?.type !== 'run-requested' && first?.type !== 'run-created')) return undefined;
  const { runId, request } = first;
  const steps = Map.groupBy(attemptSpans(events), ({ step }) => step);
  return {
    ...(request.traceParent && { parent: request.traceParent }),
    name: `run ${request.repository}`,
    startAt: first.at,
    endAt: end.at,
    outcome: end.verdict.outcome,
    attributes: {
      ...{ 'sluice.run.id': runId, 'sluice.repository': request.repository, 'sluice.event': request.trigger.event },
      ...{ 'vcs.ref.head.name': request.trigger.ref, 'vcs.ref.head.revision': request.trigger.commit },
      ...verdictAttributes(end.verdict),
    },
    children: [...queued(events), ...[...steps].map(([step, attempts]) => stepSpan(step, attempts))],
  };
}

function queued(events: readonly StoredEvent[]): readonly TraceSpan[] {
  const [first] = events;
  const created = events.find((event) => event.type === 'run-created');
  if (first?.type !== 'run-requested' || !created) return [];
  return [{ name: 'queue', startAt: first.at, endAt: created.at, outcome: 'succeeded', attributes: {}, children: [] }];
}

function stepSpan(step: string, attempts: readonly AttemptSpan[]): TraceSpan {
  const last = attempts.at(-1);
  return {
    name: `step ${step}`,
    startAt: Math.min(...attempts.map(({ startedAt }) => startedAt)),
    endAt: Math.max(...attempts.map(({ finishedAt }) => finishedAt)),
    outcome: last?.result.outcome ?? 'errored',
    attributes: { 'sluice.step': step, ...(last && verdictAttributes(last.result)) },
    children: attempts.map((attempt) => attemptSpan(attempt)),
  };
}

function attemptSpan({ step, attempt, startedAt, runningAt, finishedAt, result }: AttemptSpan): TraceSpan {
  return {
    name: `attempt ${attempt}`,
    startAt: startedAt,
    endAt: finishedAt,
    outcome: result.outcome,
    attributes: {
      ...{ 'sluice.step': step, 'sluice.attempt': attempt },
      ...(runningAt !== undefined && { 'sluice.start_latency_ms': Math.max(0, runningAt - startedAt) }),
      ...(result.exitCode !== undefined && { 'process.exit.code': result.exitCode }),
      ...verdictAttributes(result),
    },
    children: [],
  };
}

function verdictAttributes({ outcome, reason }: Verdict): Attributes {
  return { 'sluice.outcome': outcome, ...(reason !== undefined && { 'sluice.reason': reason }) };
}
