import test from 'ava';
import { needs, planOf, runStep } from '../model/plan-fixture.ts';
import type { RunState } from '../model/run-state.ts';
import { lookAhead } from './look-ahead.ts';
import { simulate } from './simulation-fixture.ts';

const gibibyte = 1024 ** 3;
const room = { attempts: 9, cpu: 4, memory: 8 * gibibyte };

/** A chain of steps that request that much each; the first of them runs. */
function chain(...resources: readonly { readonly cpu?: string; readonly memory?: string }[]): RunState {
  const steps = resources.map((requested, index) =>
    runStep(`s${index}`, {
      infraRetries: 2,
      resources: requested,
      ...(index > 0 && { needs: needs(`s${index - 1}`) }),
    }),
  );
  const { history } = simulate(planOf(steps), {
    capacity: 1,
    result: () => ({ outcome: 'succeeded' }),
    pick: () => 0,
  });
  const state = history.find(({ steps: seen }) => seen.get('s0')?.phase === 'running');
  if (state === undefined) throw new Error('the first step never ran');
  return state;
}

/** Some time after the first attempt began, ms. */
const ids = (state: RunState, budget = room, afterMs = 0): readonly string[] => {
  const { startedAt = NaN } = state.steps.get('s0')?.attempts[0] ?? {};
  return lookAhead(state, budget, startedAt + afterMs).map(({ id }) => id);
};

test('steps are prepared as far as what they request fits the budget, each kind by itself', (t) => {
  const cores = chain({}, { cpu: '3' }, { cpu: '1500m' });
  t.deepEqual(ids(cores), ['s1']);
  t.deepEqual(ids(cores, { ...room, cpu: 4.5 }), ['s1', 's2']);
  const memory = chain({}, { memory: '6Gi' }, { memory: '3Gi' });
  t.deepEqual(ids(memory), ['s1']);
  t.deepEqual(ids(memory, { ...room, memory: 9 * gibibyte }), ['s1', 's2']);
});

test('what requests nothing is prepared by count alone, and nothing is without attempts', (t) => {
  const state = chain({}, {}, {});
  t.deepEqual(ids(state, { attempts: 2, cpu: 0, memory: 0 }), ['s1', 's2']);
  t.deepEqual(ids(state, { ...room, attempts: 1 }), ['s1']);
  t.deepEqual(ids(state, { ...room, attempts: 0 }), []);
});

test('a step that does not fit keeps those behind it from being prepared', (t) => {
  t.deepEqual(ids(chain({}, { cpu: '5' }, { cpu: '1' })), []);
});

test('until the first attempt had a head start, two are prepared beside it', (t) => {
  const state = chain({}, {}, {}, {}, {});
  t.deepEqual(ids(state), ['s1', 's2']);
  t.deepEqual(ids(state, room, 199), ['s1', 's2']);
  t.deepEqual(ids(state, room, 200), ['s1', 's2', 's3', 's4']);
});
