import test from 'ava';
import { verdictOf } from '../../model/outcome.ts';
import type { Plan } from '../../model/plan.ts';
import type { RunEvent } from '../../model/run-event.ts';
import { reportOf } from '../../results/report/run-report.ts';
import { approvalStep, group, needs, planOf, runStep } from '../../model/plan-fixture.ts';
import { colors, noColors } from '../terminal/palette.ts';
import { widthOf } from '../terminal/text.ts';
import { replay } from '../../scheduler/evolve.ts';
import { finished, runOf, started, tests } from './run-fixture.ts';
import { reasonLines, runLines } from './run-lines.ts';
import type { TreeOptions } from './tree-lines.ts';

const plan = planOf([
  runStep('lint'),
  runStep('unit:20'),
  runStep('unit:22'),
  runStep('unit:24', { throttle: { group: 'unit', limit: 2 } }),
  ...group('load', [runStep('load/warm-up'), runStep('load/k6', { needs: needs('load/warm-up') })], {
    needs: needs('lint'),
  }),
  approvalStep('ask', { needs: needs('lint') }),
  runStep('deploy', {
    needs: [{ name: 'unit', steps: ['unit:20', 'unit:22', 'unit:24'], allow: [] }, ...needs('ask')],
  }),
  runStep('notify', { finally: true }),
]);

const underWay: readonly RunEvent[] = [
  started('lint', 0),
  started('unit:20', 10),
  finished('lint', 1_200, { artifacts: 2 }),
  { type: 'step-settled', step: 'load/inputs', at: 1_250, verdict: { outcome: 'succeeded' }, outputs: {} },
  started('load/warm-up', 1_300),
  started('unit:22', 1_300),
  { type: 'approval-requested', step: 'ask', at: 1_300, message: 'Deploy to\nproduction?', expiresAt: 9e12 },
  finished('unit:20', 3_000, tests(128, 0)),
  finished('unit:22', 4_000, { ...verdictOf('tests_failed', '2 of 128 tests failed: \x1b[2Ja, b'), ...tests(128, 2) }),
];

function picture(of: Plan, events: readonly RunEvent[], options: Partial<TreeOptions> = {}): readonly string[] {
  const shown = { columns: 100, rows: Infinity, now: 5_000, palette: noColors, animated: false, ...options };
  return runLines(reportOf(runOf(of, ...events)), shown);
}

test('a run under way is a tree that says what runs, what waits for what, and what is asked', (t) => {
  t.is(
    picture(plan, underWay).join('\n'),
    `test  main ccccccccc  run r1

✓ lint             1.2 s  2 artefacts
✗ unit             5.0 s  1 failed, 1 succeeded, 1 waiting
  ✓ unit:20        3.0 s  128 tests
  ✗ unit:22        2.7 s  failed: 2 of 128 tests failed: a, b
  · unit:24               waits for a free place
> load             3.7 s  1 running, 1 waiting
  > load/warm-up   3.7 s
  · load/k6               waits for load/warm-up
? ask                     waits for approval: Deploy to production?
· deploy                  waits for unit, ask
· notify                  waits for the end of the other steps

? ask: sluice approve r1 ask
5.0 s  1 failed, 1 running, 1 to approve, 2 succeeded, 4 waiting`,
  );
});

test('a run that has ended says how, and why what did not run did not', (t) => {
  const events: readonly RunEvent[] = [
    started('a', 0),
    finished('a', 61_000, { ...verdictOf('exit_code', 'exit code 2') }),
    { type: 'step-settled', step: 'b', at: 61_000, verdict: verdictOf('needs_failed', 'a failed'), outputs: {} },
    { type: 'run-finished', at: 61_500, verdict: verdictOf('step_failed') },
  ];
  t.is(
    picture(planOf([runStep('a'), runStep('b', { needs: needs('a') })]), events).join('\n'),
    `test  main ccccccccc  run r1

✗ a  1 m 01 s  failed: exit code 2
- b            skipped: a failed

failed after 1 m 02 s  1 failed, 1 skipped`,
  );
});

test('a run that ended before its pipeline was read goes by its repository, and says why and what to do', (t) => {
  const trigger = { event: 'push', ref: 'refs/heads/main', branch: 'main', tag: '', actor: 'ann' } as const;
  const request = {
    repository: 'tasks',
    trigger: { ...trigger, commit: 'c'.repeat(40) },
    file: 'sluice.yaml',
    dirty: false,
  };
  const verdict = verdictOf('not_triggered', 'The file has no `push` trigger.');
  const state = replay(undefined, [
    { type: 'run-requested', at: 0, runId: 'r1', request, version: 1 },
    { type: 'run-finished', at: 53, verdict, version: 2 },
  ]);
  const report = reportOf(state);
  const options = { columns: 100, rows: Infinity, now: 60, palette: noColors, animated: false };
  const lines = [...runLines(report, options), ...reasonLines(report, noColors)];
  t.is(
    lines.join('\n'),
    `tasks  main ccccccccc  run r1

skipped after 53 ms
  The file has no \`push\` trigger.
  \`on\` in the pipeline file says what starts a run; add the event there if it should.`,
  );
});

test('a narrow terminal cuts lines, a wide character counts twice', (t) => {
  const lines = picture(plan, underWay, { columns: 40, lastLine: () => '漢字'.repeat(30) });
  t.true(lines.every((line) => widthOf(line) <= 40));
  t.is(lines[8], '  > load/warm-up   3.7 s  漢字漢字漢字…');
});

test('cells with long names can be told apart on 60 columns', (t) => {
  const name = 'integration-with-everything';
  const cells = ['postgres-16-alpine-eu', 'postgres-17-alpine-eu', 'postgres-17-alpine-and-more-eu'];
  const long = planOf(cells.map((cell) => runStep(`${name}:${cell}`)));
  const events = cells.map((cell) => started(`${name}:${cell}`, 0));
  const lines = picture(long, events, { columns: 60 });
  t.true(lines.every((line) => widthOf(line) <= 60));
  t.deepEqual(
    lines.slice(2, 6).map((line) => line.trim().split(/ {2,}/)[0]),
    ['> integration-…-everything', '> …postgres-16-alpine-eu', '> …postgres-17-alpine-eu', '> …postgres-1…nd-more-eu'],
  );
});

test('a short terminal shows what runs and what is red, and counts the rest', (t) => {
  const steps = Array.from({ length: 60 }, (_, index) => runStep(`s${index}`));
  const events = [
    ...steps
      .slice(0, 40)
      .flatMap(({ id }, index) => [started(id, index), finished(id, index + 1, id === 's7' ? verdictOf('oom') : {})]),
    started('s50', 100),
  ];
  const lines = picture(planOf(steps), events, { rows: 12 });
  t.is(
    lines.join('\n'),
    `test  main ccccccccc  run r1

✗ s7     1 ms  failed: The step used more memory than it may; raise \`resources.memory\`.
· s40          waits for a free place
· s41          waits for a free place
· s42          waits for a free place
· s43          waits for a free place
· s44          waits for a free place
> s50   4.9 s
  … and 39 succeeded, 14 waiting

5.0 s  1 failed, 1 running, 39 succeeded, 19 waiting`,
  );
});

test('cells that all wait for the same are one line', (t) => {
  const cells = ['1', '2', '3'].map((cell) => runStep(`many:${cell}`, { needs: needs('a') }));
  t.is(picture(planOf([runStep('a'), ...cells]), [started('a', 0)])[3], '· many          3 steps · waits for a');
});

test('cells that wait for different things are told one by one', (t) => {
  const cells = [runStep('many:1', { needs: needs('a') }), runStep('many:2', { needs: needs('b') })];
  const lines = picture(planOf([runStep('a'), runStep('b'), ...cells]), [started('a', 0), started('b', 0)]);
  t.deepEqual(
    lines.slice(5, 7).map((line) => line.trim().replace(/ +/g, ' ')),
    ['· many:1 waits for a', '· many:2 waits for b'],
  );
});

test('a retried step says which attempt it is and when it goes on', (t) => {
  const retry = {
    ...finished('a', 1_000, verdictOf('exit_code')),
    next: { kind: 'retry', notBefore: 8_000, cause: 'user' },
  };
  const waiting = picture(planOf([runStep('a')]), [started('a', 0), retry as RunEvent]);
  t.is(waiting[2], '· a   5.0 s  tries again in 3.0 s');
  const again = picture(planOf([runStep('a')]), [started('a', 0), retry as RunEvent, started('a', 4_000, 2)]);
  t.is(again[2], '> a   5.0 s  attempt 2');
});

test('a running step shows its last line, a cancelled run who cancelled it', (t) => {
  const events: readonly RunEvent[] = [
    started('a', 0),
    { type: 'cancel-requested', at: 1, by: 'bob', reason: 'cancelled' },
  ];
  const lines = picture(planOf([runStep('a')]), events, { lastLine: () => 'compiling' });
  t.deepEqual(lines.slice(2), ['> a   5.0 s  compiling', '', 'cancelled by bob  5.0 s  1 running']);
});

test('marks of running steps move with the time', (t) => {
  const at = (now: number) => picture(planOf([runStep('a')]), [started('a', 0)], { animated: true, now })[2];
  t.not(at(5_000)?.charAt(0), at(5_100)?.charAt(0));
});

test('colours change nothing but the colour', (t) => {
  const plain = picture(plan, underWay);
  const colored = picture(plan, underWay, { palette: colors }).map((line) =>
    line.replaceAll(/\x1b\[[\d;]*m/g, '').trimEnd(),
  );
  t.deepEqual(colored, plain);
});
