import test from 'ava';
import type { Verdict } from '../model/outcome.ts';
import { verdictOf } from '../model/outcome.ts';
import type { Plan, RunStep } from '../model/plan.ts';
import type { RunState } from '../model/run-state.ts';
import { decide } from './decide.ts';
import { replay } from './evolve.ts';
import { approvalStep, group, needs, planOf, runStep } from '../model/plan-fixture.ts';
import { simulate } from './simulation-fixture.ts';
import type { Script } from './simulation-fixture.ts';

const green: Verdict = { outcome: 'succeeded' };

function outcomes(
  plan: Plan,
  results: Readonly<Record<string, readonly Verdict[]>> = {},
  script: Partial<Script> = {},
): Readonly<Record<string, string>> {
  const result = (step: RunStep, number: number): Verdict => results[step.id]?.[number - 1] ?? green;
  const { state } = simulate(plan, { capacity: 4, result, pick: () => 0, ...script });
  return {
    run: summary(state.verdict),
    ...Object.fromEntries([...state.steps].map(([id, step]) => [id, summary(step.verdict)])),
  };
}

function summary(verdict: Verdict | undefined): string {
  if (!verdict) return 'open';
  return verdict.reason ? `${verdict.outcome}: ${verdict.reason}` : verdict.outcome;
}

test('a run is green when every step succeeded', (t) => {
  t.deepEqual(outcomes(planOf([runStep('a'), runStep('b', { needs: needs('a') })])), {
    run: 'succeeded',
    a: 'succeeded',
    b: 'succeeded',
  });
});

test('steps behind a failed one are skipped, others go on', (t) => {
  const plan = planOf([
    runStep('a'),
    runStep('b', { needs: needs('a') }),
    runStep('c', { needs: needs('b') }),
    runStep('d'),
  ]);
  t.deepEqual(outcomes(plan, { a: [verdictOf('exit_code')] }), {
    run: 'failed: step_failed',
    a: 'failed: exit_code',
    b: 'skipped: needs_failed',
    c: 'skipped: needs_failed',
    d: 'succeeded',
  });
});

test('a chain of skipped steps tells what it began with, and no name that nobody has written', (t) => {
  const plan = planOf([
    runStep('a'),
    runStep('b', { needs: needs('a') }),
    ...group('g', [runStep('g/inner')], { needs: needs('b') }),
    runStep('if', { condition: { cel: 'false' } }),
    runStep('behind-if', { needs: needs('if') }),
    ...group('left-out', [runStep('left-out/inner')], { condition: { cel: 'false' } }),
    runStep('behind-group', { needs: needs('left-out') }),
  ]);
  const result = (step: RunStep): Verdict => (step.id === 'a' ? verdictOf('exit_code') : green);
  const { state } = simulate(plan, { capacity: 4, result, pick: () => 0 });
  const why = (id: string): string | undefined => state.steps.get(id)?.verdict?.message;
  t.deepEqual(['b', 'g/inner', 'g'].map(why), ['a failed', 'a failed', 'a failed']);
  t.is(why('behind-if'), 'if was skipped (if: false)');
  t.is(why('left-out/inner'), 'left-out was skipped (if: false)');
  t.is(why('behind-group'), 'left-out was skipped (if: false)');
});

test('a fault of the cluster makes the run errored, a red step beside it failed', (t) => {
  const plan = planOf([runStep('a'), runStep('b')]);
  t.is(outcomes(plan, { a: [verdictOf('node_lost')] })['run'], 'errored: step_errored');
  t.is(outcomes(plan, { a: [verdictOf('node_lost')], b: [verdictOf('exit_code')] })['run'], 'failed: step_failed');
});

test('a step whose condition is false is skipped, and so is what needs it unless it says otherwise', (t) => {
  const a = runStep('a', { condition: { cel: "branch == 'main'" }, scope: { branch: 'dev' } });
  const b = runStep('b', { needs: needs('a') });
  const c = runStep('c', { needs: [{ name: 'a', steps: ['a'], allow: ['skipped'] }] });
  t.deepEqual(outcomes(planOf([a, b, c])), {
    run: 'succeeded',
    a: 'skipped: condition',
    b: 'skipped: needs_skipped',
    c: 'succeeded',
  });
});

test('allow: [skipped] does not let a step run behind a failure', (t) => {
  const c = runStep('c', { needs: [{ name: 'b', steps: ['b'], allow: ['skipped'] }] });
  const plan = planOf([runStep('a'), runStep('b', { needs: needs('a') }), c]);
  t.is(outcomes(plan, { a: [verdictOf('exit_code')] })['c'], 'skipped: needs_failed');
});

test('a run in which nothing ran is not green', (t) => {
  t.is(outcomes(planOf([runStep('a', { condition: { cel: 'false' } })]))['run'], 'skipped: nothing_ran');
});

test('a condition that cannot be evaluated fails its step', (t) => {
  const plan = planOf([runStep('a', { condition: { cel: 'needs.x.outputs.y == "1"' } })]);
  t.is(outcomes(plan)['a'], 'failed: expression_error');
});

test('conditions see the outcomes and outputs of needed steps', (t) => {
  const a = runStep('a');
  const b = runStep('b', { needs: needs('a'), condition: { cel: "needs.a.outcome == 'succeeded'" } });
  t.is(outcomes(planOf([a, b]))['b'], 'succeeded');
});

test('retries follow the outcome: the user asked for failed, the cluster has a budget of its own', (t) => {
  const step = runStep('a', { retry: { max: 1, on: ['failed'], backoffMs: 1_000 }, infraRetries: 2 });
  const plan = planOf([step]);
  const red = verdictOf('exit_code');
  const infra = verdictOf('node_lost');
  t.is(outcomes(plan, { a: [red] })['a'], 'succeeded');
  t.is(outcomes(plan, { a: [red, red] })['a'], 'failed: exit_code');
  t.is(outcomes(plan, { a: [infra, infra, red] })['a'], 'succeeded');
  t.is(outcomes(plan, { a: [infra, infra, infra] })['a'], 'errored: node_lost');
});

test('no retry where another try would end the same way', (t) => {
  t.is(
    outcomes(planOf([runStep('a', { infraRetries: 2 })]), { a: [verdictOf('unsupported')] })['a'],
    'errored: unsupported',
  );
});

test('finally steps run after everything else, whatever the outcome, and know it', (t) => {
  const clean = runStep('clean', { finally: true, condition: { cel: "run.outcome == 'failed'" } });
  const plan = planOf([runStep('a'), runStep('b', { needs: needs('a') }), clean]);
  t.is(outcomes(plan, { a: [verdictOf('exit_code')] })['clean'], 'succeeded');
  t.is(outcomes(plan)['clean'], 'skipped: condition');
  t.is(outcomes(plan, { clean: [verdictOf('exit_code')], a: [verdictOf('exit_code')] })['run'], 'failed: step_failed');
});

test('a red finally step makes a green run red', (t) => {
  const plan = planOf([runStep('a'), runStep('clean', { finally: true })]);
  t.is(outcomes(plan, { clean: [verdictOf('exit_code')] })['run'], 'failed: step_failed');
});

test('a cancelled run stops what runs, skips the rest, and still runs its finally steps', (t) => {
  const plan = planOf([runStep('a'), runStep('b', { needs: needs('a') }), runStep('clean', { finally: true })]);
  t.deepEqual(outcomes(plan, {}, { cancelAfter: 2 }), {
    run: 'cancelled: cancelled',
    a: 'cancelled: cancelled',
    b: 'skipped: run_cancelled',
    clean: 'succeeded',
  });
});

test('a run that is cancelled before it started leaves its finally steps alone', (t) => {
  const plan = planOf([runStep('a'), runStep('clean', { finally: true })]);
  t.is(outcomes(plan, {}, { cancelAfter: 0 })['clean'], 'skipped: run_cancelled');
});

test('a run that takes too long is stopped as a failure', (t) => {
  const plan = planOf([approvalStep('ask', { timeoutMs: 10_000_000 })], { timeoutMs: 1_000_000 });
  t.is(outcomes(plan)['run'], 'failed: run_timeout');
});

test('approvals: given, refused, or too late', (t) => {
  const plan = planOf([approvalStep('ask'), runStep('a', { needs: needs('ask') })]);
  t.deepEqual(outcomes(plan, {}, { approve: () => true }), { run: 'succeeded', ask: 'succeeded', a: 'succeeded' });
  t.is(outcomes(plan, {}, { approve: () => false })['ask'], 'failed: rejected');
  t.is(outcomes(plan)['ask'], 'failed: approval_timeout');
});

test('a group ends with its steps: green, red, or not entered', (t) => {
  const inner = [runStep('g/a'), runStep('g/b', { needs: needs('g/a') })];
  const plan = planOf([...group('g', inner), runStep('after', { needs: needs('g') })]);
  t.like(outcomes(plan), { g: 'succeeded', after: 'succeeded' });
  t.like(outcomes(plan, { 'g/a': [verdictOf('exit_code')] }), {
    'g/b': 'skipped: needs_failed',
    g: 'failed: step_failed',
    after: 'skipped: needs_failed',
  });
  const closed = planOf([
    ...group('g', inner, { condition: { cel: 'false' } }),
    runStep('after', { needs: needs('g') }),
  ]);
  t.like(outcomes(closed), {
    'g/a': 'skipped: needs_skipped',
    g: 'skipped: condition',
    after: 'skipped: needs_skipped',
  });
});

test('max-parallel, capacity and groups limit what runs at once', (t) => {
  const throttle = { group: 'm', limit: 2 };
  const cells = ['1', '2', '3'].map((id) => runStep(`m:${id}`, { throttle }));
  const exclusive = ['x', 'y'].map((id) => runStep(id, { concurrency: { group: 'db', policy: 'queue' as const } }));
  const { history } = simulate(planOf([...cells, ...exclusive]), { capacity: 3, result: () => green, pick: () => 0 });
  const most = (ids: readonly string[]): number =>
    Math.max(...history.map((state) => ids.filter((id) => runs(state, id)).length));
  t.is(most(['m:1', 'm:2', 'm:3']), 2);
  t.is(most(['x', 'y']), 1);
  t.is(most(['m:1', 'm:2', 'm:3', 'x', 'y']), 3);
});

function runs(state: RunState, id: string): boolean {
  return state.steps.get(id)?.phase === 'running';
}

test('a step whose concurrency group is held elsewhere is not started', (t) => {
  const plan = planOf([runStep('a', { concurrency: { group: 'db', policy: 'queue' } })]);
  const { history } = simulate(plan, { capacity: 1, result: () => green, pick: () => 0 });
  const running = history.find((state) => state.phase === 'running');
  t.truthy(running);
  if (!running) return;
  const context = { now: 0, capacity: 1 };
  t.true(decide(running, { ...context, blocked: new Set() }).some((command) => command.do === 'start-attempt'));
  t.false(decide(running, { ...context, blocked: new Set(['a']) }).some((command) => command.do === 'start-attempt'));
});

test('carried steps are settled from the beginning and keep their origin', (t) => {
  const plan = planOf([runStep('a'), runStep('b', { needs: needs('a') })]);
  const { events } = simulate(plan, { capacity: 1, result: () => green, pick: () => 0 });
  const [first] = events;
  if (first?.type !== 'run-created') return t.fail();
  const carried = { a: { fromRun: 'old', verdict: green, outputs: { v: '1' } } };
  const state = replay(plan, [{ ...first, carried }]);
  t.like(state.steps.get('a'), { phase: 'settled', carriedFrom: 'old', outputs: { v: '1' } });
});
