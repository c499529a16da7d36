import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import type { GroupEnd, GroupStart, Plan, PlanStep, RunStep } from '../model/plan.ts';
import { compileText, planOf } from './compile-fixture.ts';

const lockFile = [{ path: 'package-lock.json', oid: '1'.repeat(40) }];

function ids(plan: Plan): readonly string[] {
  return plan.steps.map(({ id }) => id);
}

function stepOf<Kind extends PlanStep['kind']>(plan: Plan, id: string, kind: Kind): PlanStep & { readonly kind: Kind } {
  const step = plan.steps.find((candidate) => candidate.id === id);
  if (step?.kind !== kind) throw new Error(`there is no ${kind} ${id} among ${ids(plan).join(', ')}`);
  return step as PlanStep & { readonly kind: Kind };
}

const run = (plan: Plan, id: string): RunStep => stepOf(plan, id, 'run');
const start = (plan: Plan, id: string): GroupStart => stepOf(plan, id, 'group-start');
const end = (plan: Plan, id: string): GroupEnd => stepOf(plan, id, 'group-end');
const needs = (step: PlanStep): readonly string[] => step.needs.flatMap((need) => need.steps);

test('R000-12: the whole language compiles, and its steps come in the order of the file', (t) => {
  const text = readFileSync(new URL('fixtures/whole-language.yaml', import.meta.url), 'utf8');
  const plan = planOf(text, { files: lockFile });
  t.deepEqual(
    plan.steps.filter(({ kind }) => kind === 'run').map(({ id }) => id),
    [
      'lint',
      'unit:22',
      'unit:24',
      'migrate/build',
      'migrate/copy',
      'migrate/apply',
      'deploy-test/build',
      'deploy-test/deploy',
      'run-tests/test',
      'run-tests/requests',
      'run-tests/load',
      'run-tests/record',
      'run-tests/live',
      'promote/check',
      'promote/prepare',
      'promote/switch',
      'promote/confirm',
    ],
  );
  const unit = run(plan, 'unit:24');
  t.is(unit.image, 'node:24');
  t.deepEqual(unit.env, { CI: 'true' });
  t.regex(unit.caches[0]?.key ?? '', /^npm-[0-9a-f]{64}$/);
  t.is(unit.timeoutMs, 600_000);
  t.deepEqual(unit.retry, { max: 2, on: ['errored'], backoffMs: 1_000 });
  t.deepEqual(unit.requires, ['services']);
  t.deepEqual(start(plan, 'promote/inputs').condition, { cel: "branch == 'main'" });
});

test('a step needs the one above it, all cells of a matrix at once, and none where it says so', (t) => {
  const plan = planOf(`
pipeline: demo
steps:
  first: { run: a }
  unit: { run: b, matrix: { node: ["22", "24"] } }
  last: { run: c }
  free: { run: d, needs: [] }
  both: { run: e, needs: [first, { step: free, allow: [skipped] }] }
`);
  t.deepEqual(needs(run(plan, 'first')), []);
  t.deepEqual(needs(run(plan, 'unit:22')), ['first']);
  t.deepEqual(run(plan, 'last').needs, [{ name: 'unit', steps: ['unit:22', 'unit:24'], allow: [] }]);
  t.deepEqual(needs(run(plan, 'free')), []);
  t.deepEqual(run(plan, 'both').needs, [
    { name: 'first', steps: ['first'], allow: [] },
    { name: 'free', steps: ['free'], allow: ['skipped'] },
  ]);
});

test('a step may need one that stands below it', (t) => {
  const plan = planOf('pipeline: demo\nsteps:\n  a: { run: a, needs: [b] }\n  b: { run: b, needs: [] }\n');
  t.deepEqual(ids(plan), ['b', 'a']);
});

test('a step without anything else has the documented defaults', (t) => {
  const plan = planOf('pipeline: demo\nsteps: { only: { run: make } }\n');
  t.is(plan.timeoutMs, 86_400_000);
  t.is(plan.concurrency, undefined);
  const { location, scope, ...step } = run(plan, 'only');
  t.deepEqual(location, { file: 'sluice.yaml', line: 2, column: 10, length: 4 });
  t.is(scope['branch'], 'main');
  t.deepEqual(step, {
    id: 'only',
    name: 'only',
    needs: [],
    finally: false,
    kind: 'run',
    script: 'make',
    shell: 'sh',
    image: 'base',
    workdir: '',
    env: {},
    secrets: [],
    services: [],
    junit: { paths: [], allowEmpty: false },
    artifacts: [],
    outputs: { paths: [], values: [] },
    caches: [],
    resources: {},
    timeoutMs: 3_600_000,
    retry: { max: 0, on: ['errored'], backoffMs: 1_000 },
    infraRetries: 2,
    requires: [],
  });
});

test('every form of a field is brought to one', (t) => {
  const plan = planOf(`
pipeline: demo
steps:
  a:
    run: make
    workdir: ./web/
    junit: { paths: [./a.xml], allow-empty: true }
    artifacts: [coverage/**, { path: dist.tar, required: true }]
    outputs: [dist/**]
    cache: [{ key: one, paths: [~/.npm] }, { key: two, paths: [.cache] }]
  b: { run: make, junit: [x.xml, y.xml], outputs: { values: [version] }, cache: { key: one, paths: [a] } }
`);
  const a = run(plan, 'a');
  t.is(a.workdir, 'web');
  t.deepEqual(a.junit, { paths: ['a.xml'], allowEmpty: true });
  t.deepEqual(a.artifacts, [
    { path: 'coverage/**', required: false },
    { path: 'dist.tar', required: true },
  ]);
  t.deepEqual(a.outputs, { paths: ['dist/**'], values: [] });
  t.deepEqual(
    a.caches.map(({ key }) => key),
    ['one', 'two'],
  );
  const b = run(plan, 'b');
  t.deepEqual(b.junit.paths, ['x.xml', 'y.xml']);
  t.deepEqual(b.outputs, { paths: [], values: ['version'] });
});

test('what is known before the run is decided, the rest waits for its step', (t) => {
  const plan = planOf(`
pipeline: demo
backend: { name: shop }
env: { REF: "\${{ ref }}", SAME: file }
concurrency: { group: "deploy-\${{ branch }}", policy: cancel }
steps:
  build: { run: make, outputs: { values: [version] } }
  ship:
    run: make ship
    services: { db: { image: postgres:16 } }
    env:
      SAME: step
      VERSION: "v\${{ needs.build.outputs.version }}-\${{ commit.substring(0, 2) }}"
      DATABASE_URL: \${{ services.db.url }}
      LITERAL: $\${{ branch }}
    if: needs.build.outputs.version != '' && branch == 'dev'
`);
  t.deepEqual(plan.concurrency, { group: 'deploy-main', policy: 'cancel' });
  const ship = run(plan, 'ship');
  t.deepEqual(ship.env, {
    REF: 'refs/heads/main',
    SAME: 'step',
    VERSION: { parts: ['v', { cel: 'needs.build.outputs.version' }, '-cc'] },
    DATABASE_URL: { parts: [{ cel: 'services.db.url' }] },
    LITERAL: '${{ branch }}',
  });
  t.deepEqual(ship.condition, { cel: "needs.build.outputs.version != '' && branch == 'dev'" });
});

test('max-parallel holds the cells of one step together', (t) => {
  const plan = planOf('pipeline: demo\nsteps: { u: { run: a, matrix: { n: ["1", "2", "3"], max-parallel: 2 } } }\n');
  for (const id of ids(plan)) t.deepEqual(run(plan, id).throttle, { group: 'u', limit: 2 });
});

test('an approval waits for a person with a message that may depend on earlier steps', (t) => {
  const plan = planOf(`
pipeline: demo
steps:
  build: { run: make, outputs: { values: [v] } }
  ask: { approval: { message: "Ship \${{ needs.build.outputs.v }} of \${{ branch }}?", timeout: 2h } }
`);
  const ask = stepOf(plan, 'ask', 'approval');
  t.deepEqual(ask.message, { parts: ['Ship ', { cel: 'needs.build.outputs.v' }, ' of main?'] });
  t.is(ask.timeoutMs, 7_200_000);
});

test('finally steps run beside each other, know the outcome of the run, and come last', (t) => {
  const plan = planOf(`
pipeline: demo
steps: { build: { run: make } }
finally:
  one: { run: a, if: run.outcome != 'succeeded' }
  two: { run: b }
  three: { run: c, needs: [two], env: { OUTCOME: "\${{ run.outcome }}" } }
`);
  t.deepEqual(ids(plan), ['build', 'one', 'two', 'three']);
  t.deepEqual(
    plan.steps.map((step) => step.finally),
    [false, true, true, true],
  );
  t.deepEqual(
    plan.steps.map((step) => needs(step).length),
    [0, 0, 0, 1],
  );
});

const load = `
workflow: load
inputs:
  run: { type: command, required: true }
  target: { required: true }
  users: { type: number, default: "10" }
  image: {}
outputs:
  p95: { value: "\${{ steps.k6.outputs.p95 }} of \${{ inputs.target }}" }
requires: [environments]
env: { TARGET: "\${{ inputs.target }}", CI: workflow }
steps:
  prepare: { run: prepare, needs: [], image: "\${{ inputs.image }}" }
  k6: { run: "\${{ inputs.run }}", env: { USERS: "\${{ inputs.users }}" }, outputs: { values: [p95] } }
`;

test('a used workflow becomes a start with its inputs, its steps, and an end with its outputs', (t) => {
  const plan = planOf(
    `
pipeline: demo
backend: { name: shop }
env: { CI: "true", FROM: pipeline }
steps:
  build: { run: make, outputs: { values: [url] } }
  load: { uses: ./ci/load.yaml, if: branch == 'main', with: { run: k6 run, target: "\${{ needs.build.outputs.url }}" } }
  report: { run: "echo $P95", env: { P95: "\${{ needs.load.outputs.p95 }}" } }
`,
    { workflows: { 'ci/load.yaml': load } },
  );
  t.deepEqual(ids(plan), ['build', 'load/inputs', 'load/prepare', 'load/k6', 'load', 'report']);
  const inputs = start(plan, 'load/inputs');
  t.deepEqual(inputs.outputs, { target: { parts: [{ cel: 'needs.build.outputs.url' }] }, users: '10', image: '' });
  t.deepEqual(needs(inputs), ['build']);
  t.deepEqual(inputs.condition, { cel: "branch == 'main'" });
  const k6 = run(plan, 'load/k6');
  t.is(k6.script, 'k6 run');
  t.is(k6.inputsFrom, 'load/inputs');
  t.is(k6.location.file, 'ci/load.yaml');
  t.deepEqual(needs(k6), ['load/inputs', 'load/prepare']);
  t.deepEqual(k6.scope['inputs'], { users: '10', image: '' });
  t.deepEqual(k6.requires, ['environments']);
  t.deepEqual(k6.env, { CI: 'workflow', FROM: 'pipeline', TARGET: { parts: [{ cel: 'inputs.target' }] }, USERS: '10' });
  t.is(run(plan, 'load/prepare').image, 'base');
  const group = end(plan, 'load');
  t.deepEqual(group.needs, [
    { name: 'prepare', steps: ['load/prepare'], allow: [] },
    { name: 'k6', steps: ['load/k6'], allow: [] },
  ]);
  t.deepEqual(group.outputs, { p95: { parts: [{ cel: 'steps.k6.outputs.p95' }, ' of ', { cel: 'inputs.target' }] } });
  t.is(group.inputsFrom, 'load/inputs');
  t.deepEqual(needs(run(plan, 'report')), ['load']);
});

test('every step of a workflow waits for its start, so that none runs when the workflow is skipped', (t) => {
  const plan = planOf(
    'pipeline: demo\nbackend: { name: shop }\nsteps: { load: { uses: ./l.yaml, with: { run: a, target: b } } }\n',
    {
      workflows: { 'l.yaml': load },
    },
  );
  for (const step of plan.steps.filter(({ kind }) => kind === 'run')) t.true(needs(step).includes('load/inputs'));
});

test('a matrix repeats a whole workflow, one group for each cell', (t) => {
  const plan = planOf(
    `
pipeline: demo
backend: { name: shop }
steps:
  load: { uses: ./l.yaml, matrix: { region: [eu, us] }, with: { run: k6, target: "\${{ matrix.region }}.example" } }
  after: { run: a }
`,
    { workflows: { 'l.yaml': load } },
  );
  t.deepEqual(run(plan, 'load:us/k6').env['TARGET'], 'us.example');
  t.deepEqual(needs(run(plan, 'after')), ['load:eu', 'load:us']);
});

test('a workflow can use another and hand its command on', (t) => {
  const plan = planOf(
    'pipeline: demo\nbackend: { name: shop }\nsteps: { all: { uses: ./all.yaml, with: { run: k6 run } } }\n',
    {
      workflows: {
        'l.yaml': load,
        'all.yaml': `
workflow: all
inputs: { run: { type: command, required: true } }
steps: { load: { uses: ./l.yaml, with: { run: "\${{ inputs.run }}", target: here } } }
`,
      },
    },
  );
  t.deepEqual(ids(plan), ['all/inputs', 'all/load/inputs', 'all/load/prepare', 'all/load/k6', 'all/load', 'all']);
  t.is(run(plan, 'all/load/k6').script, 'k6 run');
  t.is(start(plan, 'all/load/inputs').inputsFrom, 'all/inputs');
});

test('workflows that nest too deeply are refused', (t) => {
  const workflows = Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [
      `${index}.yaml`,
      `workflow: w${index}\nsteps: { next: { uses: ./${index + 1}.yaml } }\n`,
    ]),
  );
  const compiled = compileText('pipeline: demo\nsteps: { a: { uses: ./0.yaml } }\n', { workflows });
  t.deepEqual(compiled.ok ? [] : compiled.problems.map(({ file, code }) => [file, code]), [
    ['7.yaml', 'uses-too-deep'],
  ]);
});

test('R000-18: scripts of gates that change an environment are never repeated by themselves, operations are; both demand one', (t) => {
  const plan = planOf(`
pipeline: demo
backend: { name: shop }
steps:
  check: { uses: validate, with: { run: make lint } }
  migrate: { uses: migrate, with: { run: make migrate } }
  promote: { uses: promote }
`);
  t.is(run(plan, 'check/check').infraRetries, 2);
  t.deepEqual(run(plan, 'check/check').requires, []);
  for (const step of plan.steps.filter(({ id, kind }) => kind === 'run' && /^(migrate|promote)\//.test(id))) {
    t.is(run(plan, step.id).infraRetries, run(plan, step.id).operation === undefined ? 0 : 2, step.id);
    t.deepEqual(run(plan, step.id).requires, ['environments']);
  }
});

test('a plan has at most two thousand steps', (t) => {
  const text = (count: number) =>
    `pipeline: demo\nsteps:\n${Array.from({ length: count }, (_, index) => `  s${index}: { run: a, needs: [] }\n`).join('')}`;
  t.is(planOf(text(2_000)).steps.length, 2_000);
  const hostile = `
workflow: w
steps: { a: { uses: ./w2.yaml, matrix: { a: [${Array.from({ length: 200 }, (_, index) => `"${index}"`).join(', ')}] } } }
`;
  const compiled = compileText('pipeline: demo\nsteps: { a: { uses: ./w.yaml } }\n', {
    workflows: {
      'w.yaml': hostile,
      'w2.yaml': hostile.replaceAll('w2.yaml', 'w3.yaml'),
      'w3.yaml': hostile.replace('uses: ./w2.yaml', 'run: a'),
    },
  });
  t.deepEqual(compiled.ok ? [] : compiled.problems.map(({ code }) => code), ['plan-too-large']);
});

const graph = fc.array(fc.record({ needs: fc.array(fc.nat(30), { maxLength: 4 }), cells: fc.nat(3) }), {
  minLength: 1,
  maxLength: 25,
});

test('whatever the graph, every step of the plan stands behind those that it needs, and none is lost', (t) => {
  fc.assert(
    fc.property(graph, (rows) => {
      const steps = rows.map(({ needs: wanted, cells }, index) => {
        const above = [...new Set(wanted)].filter((need) => need < index).map((need) => `s${need}`);
        const values = Array.from({ length: cells }, (_, cell) => `"${cell}"`).join(', ');
        return `  s${index}: { run: a, needs: [${above.join(', ')}]${cells > 0 ? `, matrix: { n: [${values}] }` : ''} }\n`;
      });
      const plan = planOf(`pipeline: demo\nsteps:\n${steps.toReversed().join('')}`);
      const seen = new Set<string>();
      for (const step of plan.steps) {
        for (const id of needs(step)) t.true(seen.has(id), `${step.id} stands before ${id}`);
        seen.add(step.id);
      }
      t.is(
        seen.size,
        rows.reduce((count, { cells }) => count + Math.max(1, cells), 0),
      );
    }),
    { numRuns: 50 },
  );
});

test('a workflow has the secrets that its caller gives: to the script of the caller, and to steps that name them', (t) => {
  const inner = `workflow: inner
inputs: { run: { type: command, required: true } }
steps:
  before: { run: ./before.sh }
  own: { run: ./own.sh, secrets: [INNER] }
  script: { run: "\${{ inputs.run }}" }
`;
  const outer = `workflow: outer
inputs: { run: { type: command, required: true } }
steps:
  pass: { uses: ./inner.yaml, with: { run: "\${{ inputs.run }}" }, secrets: [INNER] }
  write: { uses: ./inner.yaml, with: { run: ./outer.sh }, secrets: [INNER] }
`;
  const plan = planOf(
    'pipeline: demo\nsteps: { all: { uses: ./outer.yaml, with: { run: make }, secrets: [CALLER, INNER] } }\n',
    { workflows: { 'outer.yaml': outer, 'inner.yaml': inner } },
  );
  const secrets = plan.steps.flatMap((step) => (step.kind === 'run' ? [[step.id, step.secrets] as const] : []));
  t.deepEqual(Object.fromEntries(secrets), {
    'all/pass/before': [],
    'all/pass/own': ['INNER'],
    'all/pass/script': ['CALLER', 'INNER'],
    'all/write/before': [],
    'all/write/own': ['INNER'],
    'all/write/script': ['INNER'],
  });
});

test('the script that a gate runs gets the secrets of its caller, and one that an operation takes has none to get', (t) => {
  const text = (gate: string) =>
    `pipeline: demo\nbackend: { name: shop }\nsteps: { gate: { uses: ${gate}, with: { run: make it, junit: r.xml }, secrets: [DB_KEY] } }\n`;
  const secrets = planOf(text('run-tests')).steps.flatMap((step) =>
    step.kind === 'run' ? [[step.name, step.secrets] as const] : [],
  );
  t.deepEqual(Object.fromEntries(secrets), { test: ['DB_KEY'], requests: [], load: [], record: [], live: [] });
  const refused = compileText(text('migrate').replace(', junit: r.xml', ''));
  t.deepEqual(refused.ok ? [] : refused.problems.map(({ code, line }) => [code, line]), [['secret-unused', 3]]);
});

test('a step whose script is an input that was left out is skipped, and those that allow it go on', (t) => {
  const ci = `
workflow: ci
inputs: { run: { type: command, default: "" }, more: { type: command, default: "" } }
steps:
  run: { run: "\${{ inputs.run }}", if: branch == 'main' }
  more: { run: "\${{ inputs.more }}", needs: [{ step: run, allow: [skipped] }] }
`;
  const plan = planOf('pipeline: p\nsteps:\n  ci: { uses: ./ci.yaml, with: { more: make } }\n', {
    workflows: { 'ci.yaml': ci },
  });
  t.deepEqual(run(plan, 'ci/run').condition, { cel: 'false' });
  t.is(run(plan, 'ci/more').condition, undefined);
});
