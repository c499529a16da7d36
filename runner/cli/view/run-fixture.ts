import { runCreated } from '../../model/plan-fixture.ts';
import type { Plan, StepId } from '../../model/plan.ts';
import type { AttemptRecord, RunEvent } from '../../model/run-event.ts';
import type { RunState } from '../../model/run-state.ts';
import { evolve, replay } from '../../scheduler/evolve.ts';
import type { RunView } from './run-view.ts';

/** The state of a run that began at 0 after these events. */
export function runOf(plan: Plan, ...events: readonly RunEvent[]): RunState {
  return replay(
    plan,
    [runCreated(0), { type: 'run-started' as const, at: 0 }, ...events].map((event, index) => ({
      ...event,
      version: index + 1,
    })),
  );
}

/** Hands a view the events behind this state one by one. */
export function play(view: RunView, state: RunState, ...events: readonly RunEvent[]): RunState {
  let current = state;
  for (const event of events) {
    const stored = { ...event, version: current.version + 1 };
    current = evolve(current, stored);
    view.event(current, stored);
  }
  return current;
}

export function started(step: StepId, at: number, attempt = 1): RunEvent {
  return { type: 'attempt-started', step, attempt, at };
}

export function finished(step: StepId, at: number, result: Partial<AttemptRecord> = {}, attempt = 1): RunEvent {
  const record = { outcome: 'succeeded', artifacts: 0, outputs: {}, notes: [], ...result } as const;
  return { type: 'attempt-finished', step, attempt, at, result: record, next: { kind: 'settle' } };
}

export function tests(total: number, failures: number): Pick<AttemptRecord, 'tests'> {
  return {
    tests: { tests: total, failures, errors: 0, skipped: 0, flaky: 0, files: 1, mismatches: [], unreadable: [] },
  };
}
