import test from 'ava';
import fc from 'fast-check';
import type { ExecutionContext } from 'ava';
import { verdictOf } from '../model/outcome.ts';
import type { Verdict } from '../model/outcome.ts';
import type { Need, Plan, PlanStep } from '../model/plan.ts';
import type { RunState } from '../model/run-state.ts';
import { evolve, replay } from './evolve.ts';
import { mayTrust } from './needs-of.ts';
import { approvalStep, needs, planOf, runStep } from '../model/plan-fixture.ts';
import { simulate } from './simulation-fixture.ts';
import type { Simulation } from './simulation-fixture.ts';

const verdicts: readonly Verdict[] = [
  { outcome: 'succeeded' },
  { outcome: 'succeeded' },
  { outcome: 'succeeded' },
  verdictOf('exit_code'),
  verdictOf('node_lost'),
  verdictOf('timeout'),
];

/** One step of a random graph: each number picks something, modulo what there is to pick from. */
const stepShape = fc.record({
  needs: fc.array(fc.nat(), { maxLength: 3 }),
  allow: fc.boolean(),
  kind: fc.nat(11),
  retries: fc.nat(2),
  infra: fc.nat(2),
  group: fc.nat(5),
  throttle: fc.nat(4),
});

type Shape = typeof stepShape extends fc.Arbitrary<infer Value> ? Value : never;

function stepOf(shape: Shape, index: number, finallyFrom: number): PlanStep {
  const inFinally = index >= finallyFrom;
  const first = inFinally ? finallyFrom : 0;
  const picked = index === first ? [] : [...new Set(shape.needs.map((pick) => first + (pick % (index - first))))];
  const base = {
    needs: needs(...picked.map((at) => `s${at}`)).map((need) => ({
      ...need,
      allow: shape.allow ? (['skipped'] as const) : [],
    })),
    finally: inFinally,
    ...(shape.kind === 1 ? { condition: { cel: 'false' } } : {}),
  };
  if (shape.kind === 0) return approvalStep(`s${index}`, base);
  return runStep(`s${index}`, {
    ...base,
    retry: { max: shape.retries, on: shape.kind % 2 ? ['failed'] : ['failed', 'errored'], backoffMs: 1_000 },
    infraRetries: shape.infra,
    ...(shape.group < 2 ? { concurrency: { group: `g${shape.group}`, policy: 'queue' as const } } : {}),
    ...(shape.throttle === 0 ? { throttle: { group: 't', limit: 2 } } : {}),
  });
}

const world = fc.record({
  shapes: fc.array(stepShape, { minLength: 1, maxLength: 14 }),
  finally: fc.nat(3),
  script: fc.infiniteStream(fc.nat(1_000)),
  capacity: fc.integer({ min: 1, max: 5 }),
  cancelAfter: fc.option(fc.nat(40), { nil: undefined }),
});

function property(t: ExecutionContext, check: (plan: Plan, simulation: Simulation, capacity: number) => boolean): void {
  fc.assert(
    fc.property(world, ({ shapes, finally: last, script, capacity, cancelAfter }) => {
      const plan = planOf(shapes.map((shape, index) => stepOf(shape, index, Math.max(1, shapes.length - last))));
      const next = (): number => Number(script.next().value);
      const answer = (): boolean | undefined => [true, false, undefined][next() % 3];
      const simulation = simulate(plan, {
        capacity,
        pick: next,
        result: () => verdicts[next() % verdicts.length] ?? verdictOf('exit_code'),
        approve: answer,
        report: () => next() % 3 === 0,
        ...(cancelAfter === undefined ? {} : { cancelAfter }),
      });
      return check(plan, simulation, capacity);
    }),
    { numRuns: 300 },
  );
  t.pass();
}

const outcomeOf = (state: RunState, id: string): string | undefined => state.steps.get(id)?.verdict?.outcome;
const running = (state: RunState): readonly PlanStep[] =>
  state.plan.steps.filter(({ id }) => state.steps.get(id)?.phase === 'running');

test('R000-12: every run ends, with every step settled', (t) => {
  property(
    t,
    (_, { state }) => state.phase === 'finished' && [...state.steps.values()].every(({ phase }) => phase === 'settled'),
  );
});

const allows = (need: Need, outcome: string | undefined): boolean =>
  outcome === 'succeeded' || (outcome === 'skipped' && need.allow.includes('skipped'));

test('I5: a step starts only after all that it needs passed, was skipped where it allows that, or gave its word', (t) => {
  property(t, (plan, { history, events }) =>
    events.every((event, index) => {
      const before = history[index - 1];
      const step = event.type === 'attempt-started' && plan.steps.find(({ id }) => id === event.step);
      if (!step || !before) return true;
      return step.needs.every((need) =>
        need.steps.every(
          (id) => allows(need, outcomeOf(before, id)) || (mayTrust(step) && before.steps.get(id)?.word !== undefined),
        ),
      );
    }),
  );
});

test('I5: no step ends green before all that it needs did, whatever they had said', (t) => {
  property(t, (plan, { history }) =>
    history.every((state) =>
      plan.steps.every(
        (step) =>
          step.kind !== 'run' ||
          outcomeOf(state, step.id) !== 'succeeded' ||
          step.needs.every((need) => need.steps.every((id) => allows(need, outcomeOf(state, id)))),
      ),
    ),
  );
});

test('finally steps start only after every other step has ended', (t) => {
  property(t, (plan, { history }) =>
    history.every(
      (state) =>
        !running(state).some((step) => step.finally) ||
        plan.steps.every((step) => step.finally || outcomeOf(state, step.id) !== undefined),
    ),
  );
});

test('I4: a terminal state never changes, neither of a step nor of the run', (t) => {
  property(t, (plan, { history }) =>
    plan.steps.every(({ id }) => {
      const settled = history.map((state) => state.steps.get(id)).filter((step) => step?.phase === 'settled');
      return settled.every((step) => step === settled[0]);
    }),
  );
});

test('capacity, max-parallel and concurrency groups hold at every moment', (t) => {
  property(t, (_, { history }, capacity) =>
    history.every((state) => {
      const now = running(state).filter((step) => step.kind === 'run');
      const groups = now.flatMap(({ concurrency }) => concurrency?.group ?? []);
      return (
        now.length <= capacity &&
        new Set(groups).size === groups.length &&
        now.filter(({ throttle }) => throttle).length <= 2
      );
    }),
  );
});

test('attempts of a step are numbered without gaps, one at a time, and within the budgets', (t) => {
  property(t, (plan, { state }) =>
    plan.steps.every((step) => {
      const attempts = state.steps.get(step.id)?.attempts ?? [];
      const counted = attempts.filter(({ result }) => result?.reason !== 'unproven');
      const most = step.kind === 'run' ? 1 + step.retry.max + step.infraRetries : 0;
      return (
        counted.length <= most &&
        attempts.every((attempt, index) => attempt.number === index + 1 && attempt.finishedAt !== undefined)
      );
    }),
  );
});

test('I13: a run is green only if every step is green or was not wanted', (t) => {
  property(t, (_, { state }) => {
    if (state.verdict?.outcome !== 'succeeded') return true;
    const ends = [...state.steps.values()].map(({ verdict }) => verdict);
    return ends.every(
      (end) => end?.outcome === 'succeeded' || end?.reason === 'condition' || end?.reason === 'needs_skipped',
    );
  });
});

test('I4: events that arrive twice or late change no step that has settled', (t) => {
  property(t, (plan, { history, events }) => {
    const middle = history[Math.floor(history.length / 2)];
    if (!middle) return false;
    const late = events.reduce(evolve, middle);
    return plan.steps.every(
      ({ id }) => middle.steps.get(id)?.phase !== 'settled' || late.steps.get(id) === middle.steps.get(id),
    );
  });
});

test('replay of the same events gives the same state, also when late events follow', (t) => {
  property(t, (plan, { state, events }) => {
    const again = replay(plan, events);
    const late = replay(plan, [
      ...events,
      ...events.slice(1).map((event, index) => ({ ...event, version: events.length + index + 1 })),
    ]);
    return t.deepEqual(again, state) && t.deepEqual({ ...late, version: state.version }, state);
  });
});
