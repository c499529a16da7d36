import { readFileSync } from 'node:fs';
import test from 'ava';
import { explainPlan } from './explain-plan.ts';
import type { ExplainedPlan } from './explain-plan.ts';
import { planOf } from './compile-fixture.ts';
import { renderPlan } from './render-plan.ts';

const design = readFileSync(new URL('fixtures/whole-language.yaml', import.meta.url), 'utf8');

function explain(branch: string): ExplainedPlan {
  const files = [{ path: 'package-lock.json', oid: '1'.repeat(40) }];
  return explainPlan(planOf(design, { files, trigger: { branch } }));
}

test('each step stands one level behind the last of those that it waits for', (t) => {
  const { steps, levels } = explain('main');
  const level = new Map(steps.map((step) => [step.id, step.level]));
  t.is(level.get('lint'), 1);
  t.is(level.get('unit:24'), 1);
  t.is(level.get('migrate/build'), 2);
  t.is(level.get('deploy-test/build'), (level.get('migrate/apply') ?? 0) + 1);
  t.is(levels, Math.max(...level.values()));
});

test('needs name what a person sees: steps, and workflows by the step that uses them', (t) => {
  const needs = new Map(explain('main').steps.map((step) => [step.id, step.needs]));
  t.deepEqual(needs.get('migrate/build'), ['lint', 'unit:22', 'unit:24']);
  t.deepEqual(needs.get('migrate/apply'), ['migrate/build', 'migrate/copy']);
  t.deepEqual(needs.get('deploy-test/build'), ['migrate']);
});

test('what a condition rules out before the run is said, with all that falls with it', (t) => {
  const skipped = (branch: string) =>
    explain(branch)
      .steps.filter((step) => step.skipped)
      .map(({ id }) => id);
  const unasked = ['run-tests/requests', 'run-tests/load'];
  t.deepEqual(skipped('main'), unasked);
  t.deepEqual(skipped('dev'), [...unasked, 'promote/check', 'promote/prepare', 'promote/switch', 'promote/confirm']);
});

test('a condition that depends on the run, and a need that may be skipped, rule nothing out', (t) => {
  const { steps } = explainPlan(
    planOf(`
pipeline: demo
steps:
  never: { run: a, if: branch == 'dev' }
  falls: { run: b }
  stays: { run: c, needs: [{ step: never, allow: [skipped] }] }
  depends: { run: d, needs: [stays], if: needs.stays.outcome == 'skipped' }
finally:
  clean: { run: e }
`),
  );
  t.deepEqual(
    steps.filter((step) => step.skipped).map(({ id }) => id),
    ['never', 'falls'],
  );
  t.deepEqual(
    steps.map(({ level }) => level),
    [1, 2, 2, 3, 4],
  );
});

test('values that are not known yet are shown as they are written', (t) => {
  const [, step] = explainPlan(
    planOf(
      'pipeline: demo\nsteps:\n  a: { run: a, outputs: { values: [v] } }\n  b: { run: b, env: { V: "v${{ needs.a.outputs.v }}" } }\n',
    ),
  ).steps;
  t.deepEqual(step?.env, { V: 'v${{ needs.a.outputs.v }}' });
});

test('the graph reads from top to bottom, level by level', (t) => {
  const text = `
pipeline: demo
steps:
  lint: { run: npm run lint, needs: [] }
  unit: { run: "npm ci\\nnpm test", needs: [], services: { db: { image: postgres:16 } } }
  ask: { approval: { message: Ship it? }, needs: [lint, unit] }
  ship: { run: make ship, if: branch == 'dev' }
finally:
  clean: { run: make clean }
`;
  t.deepEqual(renderPlan(explainPlan(planOf(text))), [
    'demo: 5 steps on 4 levels, at most 24 h 00 m',
    '',
    '1 ┬ lint   npm run lint',
    '  └ unit   npm ci …',
    '           with db: postgres:16',
    '2 ─ ask    waits for a person: Ship it?',
    '           after lint, unit',
    '3 ─ ship   make ship',
    '           is skipped',
    '           after ask',
    "           if branch == 'dev'",
    '4 ─ clean  make clean',
    '           at the end',
  ]);
});
