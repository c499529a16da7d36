import test from 'ava';
import { comparison } from './table.ts';
import type { Result, Shape } from './trial.ts';

const result = (runner: string, shape: Shape, ms: number, more: Partial<Result> = {}): Result => ({
  trial: { runner, shape, run: () => Promise.reject(new Error('it ran already')) },
  ms,
  requests: undefined,
  ...more,
});

test('each runner is compared with raw Jobs in the same shape, by the median of its runs', (t) => {
  const lines = comparison(
    [
      result('raw Jobs', 'one', 1_000),
      result('raw Jobs', 'five', 5_000),
      ...[9_000, 2_500, 2_000].map((ms) => result('other', 'five', ms, { requests: 20, cpuMs: 500, megabytes: 70 })),
    ],
    'raw Jobs',
    new Map(),
  );
  t.regex(
    lines.join('\n'),
    /5 steps in turn\n.*\n {2}other +2000 \/ 2500 \/ 9000 +0\.50 +4\.0 +100 +70\n20 steps at once$/,
  );
});

test('a runner that was not there is missing in each shape, and its line says how it comes', (t) => {
  const lines = comparison([result('raw Jobs', 'one', 1_000)], 'raw Jobs', new Map([['Other', 'other up']]));
  t.is(lines.filter((line) => /^ {2}Other +missing: other up$/.test(line)).length, 3);
});
