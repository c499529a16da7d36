import type { AttemptRecord, StoredEvent } from '../model/run-event.ts';
import type { StepId } from '../model/plan.ts';

/** An attempt from its beginning to its end, as the events of its run tell it. Times in ms since the epoch. */
export interface AttemptSpan {
  readonly step: StepId;
  readonly attempt: number;
  readonly startedAt: number;
  /** When the user's command began; undefined when it never did, or nobody saw it. */
  readonly runningAt: number | undefined;
  readonly finishedAt: number;
  readonly result: AttemptRecord;
}

/** The attempts of a run that have ended, in the order of their ends. */
export function attemptSpans(events: readonly StoredEvent[]): readonly AttemptSpan[] {
  const begun = new Map<string, { readonly startedAt: number; placedAt?: number }>();
  const spans: AttemptSpan[] = [];
  for (const event of events) {
    if (event.type === 'attempt-started') begun.set(keyOf(event), { startedAt: event.at });
    if (event.type === 'attempt-placed') {
      const known = begun.get(keyOf(event));
      if (known) known.placedAt ??= event.at;
    }
    if (event.type !== 'attempt-finished') continue;
    const { step, attempt, at: finishedAt, result } = event;
    const { startedAt = finishedAt, placedAt } = begun.get(keyOf(event)) ?? {};
    spans.push({ step, attempt, startedAt, runningAt: result.startedAt ?? placedAt, finishedAt, result });
  }
  return spans;
}

function keyOf({ step, attempt }: { readonly step: StepId; readonly attempt: number }): string {
  return JSON.stringify([step, attempt]);
}
