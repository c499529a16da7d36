import test from 'ava';
import { verdictOf } from '../../model/outcome.ts';
import { planOf, runStep } from '../../model/plan-fixture.ts';
import type { AttemptRecord, RunEvent } from '../../model/run-event.ts';
import { reportOf } from '../../results/report/run-report.ts';
import { noColors } from '../terminal/palette.ts';
import { finished, runOf, started } from './run-fixture.ts';
import { redLines, summaryLines } from './summary.ts';

const plan = planOf([runStep('a')]);
const log = { bytes: 12, lines: 1, sha256: '0'.repeat(64), complete: true, masked: 0 };
const here = { abandoned: false, deployedHere: false };

function next(events: readonly RunEvent[], surroundings = here): readonly string[] {
  const lines = summaryLines(reportOf(runOf(plan, ...events)), noColors, surroundings);
  return lines.slice(lines.findIndex((line) => line.startsWith('next'))).map((line) => line.slice(10));
}

function ended(result: Partial<AttemptRecord>, verdict: ReturnType<typeof verdictOf> | { outcome: 'succeeded' }) {
  const events: readonly RunEvent[] = [
    started('a', 0),
    finished('a', 5, { log, ...result }),
    { type: 'run-finished', at: 9, verdict },
  ];
  return events;
}

test('what can be typed next fits how the run ended, and is not what was just shown', (t) => {
  t.deepEqual(next(ended({}, { outcome: 'succeeded' })), ['sluice logs r1']);
  t.deepEqual(next(ended({ artifacts: 1 }, { outcome: 'succeeded' })), ['sluice artifacts r1']);
  t.deepEqual(next(ended({}, { outcome: 'succeeded' }), { ...here, deployedHere: true }), [
    'sluice logs r1',
    'sluice environments list',
  ]);
  t.deepEqual(next(ended(verdictOf('exit_code'), verdictOf('step_failed'))), [
    'sluice logs r1 a',
    'sluice rerun r1 --failed',
  ]);
  t.deepEqual(next(ended(verdictOf('interrupted'), verdictOf('interrupted'))), ['sluice rerun r1 --failed']);
  t.deepEqual(next([started('a', 0)]), ['sluice show r1 --follow']);
});

test('of a reason with several lines the first stands behind the step, the others below it unless the log has them', (t) => {
  const reason = verdictOf('gate_refused', 'r6 does not start; its last lines:\nError: boom\n  at main.js:1');
  const [step] = reportOf(runOf(plan, ...ended(reason, verdictOf('step_failed')))).steps;
  if (!step) return t.fail('there is a step');
  const head = 'a failed: r6 does not start; its last lines: …';
  const hint = '  The gate does not let this commit pass; the message says why.';
  const alone = redLines({ step, tail: [], cases: [] }, noColors);
  t.deepEqual(alone, [head, '  Error: boom', '  at main.js:1', hint]);
  t.deepEqual(redLines({ step, tail: ['Error: boom'], cases: [] }, noColors), [head, hint, '  │ Error: boom']);
});
