import test from 'ava';
import { verdictOf } from '../model/outcome.ts';
import { needs, planOf, runStep } from '../model/plan-fixture.ts';
import type { RunState } from '../model/run-state.ts';
import { simulate } from '../scheduler/simulation-fixture.ts';
import { carriedSteps } from './rerun.ts';

const plan = planOf([
  runStep('install'),
  runStep('release', { needs: needs('install'), operation: 'build-release' }),
  runStep('tests', { needs: needs('release'), target: 'testing' }),
  runStep('promote', { needs: needs('tests'), operation: 'check-release' }),
  runStep('lint'),
]);

/** A run in which one step failed. */
function failedAt(red: string): RunState {
  const result = ({ id }: { readonly id: string }) =>
    id === red ? verdictOf('exit_code') : { outcome: 'succeeded' as const };
  return simulate(plan, { capacity: 9, pick: () => 0, result }).state;
}

const carried = (red: string) => Object.keys(carriedSteps(failedAt(red), { kind: 'failed' })).toSorted();

test('what gates have on record for a run is made anew by its repetition, from the first of their operations on', (t) => {
  t.deepEqual(carried('promote'), ['install', 'lint']);
  t.deepEqual(carried('tests'), ['install', 'lint']);
});

test('a repetition without operations of gates takes over all that succeeded', (t) => {
  t.deepEqual(carried('lint'), ['install', 'promote', 'release', 'tests']);
  const state = failedAt('lint');
  t.deepEqual(Object.keys(carriedSteps(state, { kind: 'from', step: 'lint' })).length, 4);
});
