import { verdictOf } from '../model/outcome.ts';
import type { RunEvent } from '../model/run-event.ts';
import type { RunState } from '../model/run-state.ts';
import type { AttemptRecord } from '../model/run-event.ts';
import { verdictOfRun } from '../scheduler/decide.ts';
import type { EngineDependencies } from './dependencies.ts';
import { runAttempt } from './attempt.ts';
import type { Journal } from './journal.ts';

const never = new AbortController().signal;

/** Ends a run whose process is gone: removes what its attempts left, and records that they were lost. */
export async function endLostRun(engine: EngineDependencies, journal: Journal): Promise<void> {
  const lost = await Promise.all(
    runningAttempts(journal.state).map((attempt) => endLostAttempt(engine, journal, attempt)),
  );
  await journal.record(() => lost);
  await journal.record((state) => {
    const at = engine.clock();
    const open = [...state.steps].filter(([, { phase }]) => phase !== 'settled').map(([id]) => id);
    // Killed between the end of its last step and its own, the run has lost nothing.
    const verdict = open.length + lost.length === 0 ? verdictOfRun(state) : verdictOf('runner_lost');
    return [
      ...open.map((step): RunEvent => ({
        type: 'step-settled',
        at,
        step,
        verdict: verdictOf('run_cancelled', 'the runner ended before it started'),
        outputs: {},
      })),
      { type: 'run-finished', at, verdict },
    ];
  });
}

type RunningAttempt = ReturnType<typeof runningAttempts>[number];

function runningAttempts(state: RunState) {
  return state.plan.steps.flatMap((step) => {
    const current = state.steps.get(step.id);
    const attempt = current?.attempts.at(-1);
    return step.kind === 'run' && current?.phase === 'running' && attempt ? [{ step, attempt }] : [];
  });
}

async function endLostAttempt(
  engine: EngineDependencies,
  journal: Journal,
  { step, attempt }: RunningAttempt,
): Promise<RunEvent & { readonly type: 'attempt-finished' }> {
  const result: AttemptRecord = await runAttempt(engine, {
    lease: journal.lease,
    state: journal.state,
    step,
    attempt: attempt.number,
    observer: () => undefined,
    placed: () => Promise.resolve(),
    waiting: () => Promise.resolve(),
    reported: () => Promise.resolve(),
    signal: never,
    lost: { place: attempt.place },
  });
  return {
    type: 'attempt-finished',
    at: engine.clock(),
    step: step.id,
    attempt: attempt.number,
    result,
    next: { kind: 'settle' },
  };
}
