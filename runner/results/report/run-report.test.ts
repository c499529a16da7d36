import test from 'ava';
import type { StepId } from '../../model/plan.ts';
import type { PlanStep } from '../../model/plan.ts';
import type { AttemptRecord, RunEvent } from '../../model/run-event.ts';
import { verdictOf } from '../../model/outcome.ts';
import { replay } from '../../scheduler/evolve.ts';
import { approvalStep, group, needs, planOf, runCreated, runStep } from '../../model/plan-fixture.ts';
import { reportOf } from './run-report.ts';
import type { RunReport } from './run-report.ts';
import type { StepReport } from './step-report.ts';

const created = runCreated(1_000);
const begun: RunEvent = { type: 'run-started', at: 2_000 };

function report(steps: readonly PlanStep[], ...events: readonly RunEvent[]): RunReport {
  const stored = [created, ...events].map((event, index) => ({ ...event, version: index + 1 }));
  return reportOf(replay(planOf(steps), stored));
}

function stepOf({ steps }: RunReport, id: StepId): StepReport | undefined {
  return steps.find((step) => step.id === id);
}

function started(step: StepId, at = 3_000, attempt = 1): RunEvent {
  return { type: 'attempt-started', step, attempt, at };
}

function finished(step: StepId, result: Partial<AttemptRecord>, at = 5_000, attempt = 1): RunEvent {
  const record = { outcome: 'succeeded', artifacts: 0, outputs: {}, notes: [], ...result } as const;
  return { type: 'attempt-finished', step, attempt, at, result: record, next: { kind: 'settle' } };
}

const totals = { tests: 3, failures: 1, errors: 0, skipped: 1, flaky: 0, files: 1, mismatches: [], unreadable: [] };

test('a step says what it waits for', (t) => {
  const throttle = { group: 'cells', limit: 1 };
  const steps = [
    runStep('a'),
    runStep('b', { needs: needs('a') }),
    runStep('c:1', { throttle }),
    runStep('c:2', { throttle }),
    runStep('d', { concurrency: { group: 'deploy', policy: 'queue' } }),
    approvalStep('e'),
    runStep('f'),
    runStep('g', { finally: true }),
    runStep('h'),
  ];
  const seen = report(
    steps,
    begun,
    started('a'),
    started('c:1'),
    { type: 'approval-requested', at: 3_000, step: 'e', message: 'ship?', expiresAt: 9_000 },
    started('f'),
    {
      ...finished('f', verdictOf('exit_code')),
      next: { kind: 'retry', notBefore: 8_000, cause: 'user' },
    } as RunEvent,
  );
  t.deepEqual(
    seen.steps.map(({ id, waiting }) => [id, waiting]),
    [
      ['a', undefined],
      ['b', { for: 'steps', steps: ['a'] }],
      ['c:1', undefined],
      ['c:2', { for: 'max-parallel', limit: 1 }],
      ['d', { for: 'group', group: 'deploy' }],
      ['e', { for: 'approval', message: 'ship?', expiresAt: 9_000 }],
      ['f', { for: 'retry', notBefore: 8_000 }],
      ['g', { for: 'end' }],
      ['h', { for: 'place' }],
    ],
  );
});

test('the first steps of a used workflow wait for what the workflow waits for', (t) => {
  const inner = [runStep('load/warm'), runStep('load/k6', { needs: needs('load/warm') })];
  const steps = [runStep('a'), ...group('load', inner, { needs: needs('a') })];
  const seen = report(steps, begun, started('a'));
  t.deepEqual(stepOf(seen, 'load/warm')?.waiting, { for: 'steps', steps: ['a'] });
  t.deepEqual(stepOf(seen, 'load/k6')?.waiting, { for: 'steps', steps: ['load/warm'] });
});

test('a step knows its workflow, the innermost one, and its matrix', (t) => {
  const inner = group('load/soak', [runStep('load/soak/run:1')]);
  const seen = report(group('load', inner));
  t.is(stepOf(seen, 'load/soak/run:1')?.group, 'load/soak');
  t.is(stepOf(seen, 'load/soak/run:1')?.matrix, 'load/soak/run');
  t.is(stepOf(seen, 'load/soak')?.group, 'load');
  t.is(stepOf(seen, 'load')?.group, undefined);
});

test('an ending comes with its reason and what to do about it', (t) => {
  const seen = report([runStep('a')], begun, started('a'), finished('a', verdictOf('timeout', 'after 10 s')));
  t.like(stepOf(seen, 'a'), {
    outcome: 'failed',
    reason: 'timeout',
    message: 'after 10 s',
    hint: 'The step ran longer than its timeout; make it faster or raise `timeout`.',
    startedAt: 3_000,
    finishedAt: 5_000,
  });
});

test('tests and artefacts of the last attempts are summed up, those of earlier attempts are not', (t) => {
  const seen = report(
    [runStep('a'), runStep('b'), runStep('c')],
    begun,
    started('a'),
    {
      ...finished('a', { ...verdictOf('tests_failed'), tests: totals, artifacts: 2 }),
      next: { kind: 'retry', notBefore: 0, cause: 'user' },
    } as RunEvent,
    started('a', 6_000, 2),
    finished('a', { tests: { ...totals, failures: 0 }, artifacts: 2 }, 7_000, 2),
    started('b'),
    finished('b', { tests: totals, artifacts: 1 }),
  );
  t.deepEqual(seen.tests, { tests: 6, failures: 1, errors: 0, skipped: 2, flaky: 0 });
  t.is(seen.artifacts, 3);
  t.is(stepOf(seen, 'a')?.attempts.length, 2);
});

test('a run without test reports has no totals, which is not the same as none', (t) => {
  t.false('tests' in report([runStep('a')]));
});

test('a run tells whom it waits for and who cancelled it', (t) => {
  const waiting = report([runStep('a')], { type: 'run-waiting', at: 2_000, group: 'deploy', holder: 'r0' });
  t.deepEqual(waiting.waiting, { for: 'group', group: 'deploy', holder: 'r0' });
  t.deepEqual(stepOf(waiting, 'a')?.waiting, waiting.waiting);
  const cancelled = report([runStep('a')], begun, {
    type: 'cancel-requested',
    at: 3_000,
    by: 'bob',
    reason: 'cancelled',
  });
  t.is(cancelled.cancelledBy, 'bob');
});

test('a report is plain JSON', (t) => {
  const seen = report([runStep('a')], begun, started('a'), finished('a', verdictOf('exit_code')));
  t.deepEqual(JSON.parse(JSON.stringify(seen)), seen);
});
