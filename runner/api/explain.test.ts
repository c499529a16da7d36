import test from 'ava';
import { verdictOf } from '../model/outcome.ts';
import type { Verdict } from '../model/outcome.ts';
import { reportOf } from '../results/report/run-report.ts';
import { replay } from '../scheduler/evolve.ts';
import { answerOf } from './explain.ts';

function answerTo(verdict: Verdict): string {
  const trigger = { event: 'push', ref: 'refs/heads/main', branch: 'main', tag: '', actor: 'ann' } as const;
  const request = {
    repository: 'tasks',
    trigger: { ...trigger, commit: 'c'.repeat(40) },
    file: 'sluice.yaml',
    dirty: false,
  };
  const state = replay(undefined, [
    { type: 'run-requested', at: 0, runId: 'r1', request, version: 1 },
    { type: 'run-finished', at: 53, verdict, version: 2 },
  ]);
  return answerOf(reportOf(state));
}

test('the end of a run without steps is one sentence', (t) => {
  const message = 'The file has no `push` trigger.';
  t.is(answerTo(verdictOf('not_triggered', message)), `It was skipped: ${message}`);
  t.is(answerTo(verdictOf('source_failed', 'fetch: not found')), 'It errored: fetch: not found.');
});
