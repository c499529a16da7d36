import test from 'ava';
import type { RunRow } from '../../store/store.ts';
import { noColors } from '../terminal/palette.ts';
import { runRows } from './run-rows.ts';

const run = (branch: string): RunRow => ({
  ...{ runId: 'mx16b1p7', repository: 'shop', pipeline: 'tasks', branch, commit: '97e6f1c29ab0', event: 'push' },
  ...{ phase: 'finished', outcome: 'failed', priority: 0, createdAt: 0, finishedAt: 2_000, version: 9, group: '' },
});

test('the outcome of a run stands beside a branch of any length', (t) => {
  const options = { columns: 100, now: 4_000, palette: noColors };
  const [long = '', short = ''] = runRows([run('feature/'.padEnd(200, 'x')), run('main')], options);
  t.regex(long, /tasks  feature\/x+… 97e6f1c29 +failed +2\.0 s +4\.0 s ago$/);
  t.regex(short, /tasks  main 97e6f1c29 +failed +2\.0 s +4\.0 s ago$/);
});
