import test from 'ava';
import { text } from 'node:stream/consumers';
import type { RunState } from '../model/run-state.ts';
import { openWorld } from './engine-fixture.ts';
import type { World } from './engine-fixture.ts';

async function drive(world: World, yaml: string, signal = new AbortController().signal): Promise<RunState> {
  const runId = await world.start(yaml);
  return world.engine.drive(runId, world.observer, signal);
}

function endings(state: RunState): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...state.steps].map(([id, { verdict }]) => [id, verdict?.reason ?? verdict?.outcome ?? 'open']),
  );
}

test('R000-12: a run goes through its steps in order and ends green', async (t) => {
  const world = await openWorld(t);
  const state = await drive(world, 'pipeline: p\nsteps:\n  a: { run: echo one }\n  b: { run: echo two }\n');
  t.deepEqual(endings(state), { a: 'succeeded', b: 'succeeded' });
  t.is(state.verdict?.outcome, 'succeeded');
  t.deepEqual(await world.engine.state(state.runId), state);
});

test('steps that end at the same time start what follows once each, and never more than may run', async (t) => {
  const world = await openWorld(t);
  const steps = Array.from({ length: 24 }, (_, index) => `  s${index}: { run: "true", needs: [] }\n`);
  const state = await drive(world, `pipeline: p\nsteps:\n${steps.join('')}`);
  const events = await world.store.events(state.runId);
  const started = events.flatMap((event) => (event.type === 'attempt-started' ? [event.step] : []));
  t.deepEqual(started.toSorted(), Object.keys(endings(state)).toSorted());
  let running = 0;
  for (const { type } of events) {
    running += type === 'attempt-started' ? 1 : type === 'attempt-finished' ? -1 : 0;
    t.true(running <= 4);
  }
});

test('the end of a step and the start of the next are one transaction', async (t) => {
  const world = await openWorld(t);
  const runId = await world.start('pipeline: p\nsteps:\n  a: { run: "true" }\n  b: { run: "true" }\n');
  const stored: Promise<readonly { readonly type: string }[]>[] = [];
  world.on('attempt-finished', () => stored.push(world.store.events(runId)));
  await world.engine.drive(runId, world.observer, new AbortController().signal);
  const [events] = await Promise.all(stored);
  t.is(events?.at(-1)?.type, 'attempt-started');
});

test('what a step prints is sealed with its digest and reaches the observer', async (t) => {
  const world = await openWorld(t);
  const state = await drive(world, 'pipeline: p\nsteps:\n  a: { run: printf hello }\n');
  const seal = state.steps.get('a')?.attempts[0]?.result?.log;
  t.like(seal, { bytes: 5, lines: 1, complete: true });
  t.is(await text(await world.logs.read({ runId: state.runId, step: 'a', attempt: 1 })), 'hello');
  t.is(world.logOf('a'), 'hello');
});

test('a failing step is retried as the file says, each attempt recorded', async (t) => {
  const world = await openWorld(t);
  const yaml = 'pipeline: p\nsteps:\n  a: { run: exit 3, retry: { max: 1, on: [failed], backoff: 1ms } }\n';
  const state = await drive(world, yaml);
  const attempts = state.steps.get('a')?.attempts ?? [];
  t.deepEqual(
    attempts.map(({ number, result }) => [number, result?.exitCode]),
    [
      [1, 3],
      [2, 3],
    ],
  );
  t.is(state.verdict?.reason, 'step_failed');
});

test('values and files of a step reach the steps that need it', async (t) => {
  const world = await openWorld(t);
  const state = await drive(
    world,
    `pipeline: p
steps:
  build:
    run: |
      mkdir dist && echo built > dist/app
      echo version=1.2 >> "$SLUICE_OUTPUT"
    outputs: { paths: [dist/**], values: [version] }
  use:
    env: { VERSION: "v\${{ needs.build.outputs.version }}" }
    run: echo "$VERSION $(cat dist/app)"
`,
  );
  t.is(state.verdict?.outcome, 'succeeded', JSON.stringify(endings(state)));
  t.is(world.logOf('use'), 'v1.2 built\n');
});

test('a green command with a red test is red, and the cases are kept', async (t) => {
  const world = await openWorld(t);
  const report = '<testsuite><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite>';
  const state = await drive(
    world,
    `pipeline: p\nsteps:\n  a: { run: "echo '${report.replaceAll('"', '\\"')}' > r.xml", junit: r.xml }\n`,
  );
  const result = state.steps.get('a')?.attempts[0]?.result;
  t.is(state.steps.get('a')?.verdict?.reason, 'tests_failed');
  t.like(result?.tests, { tests: 2, failures: 1 });
  const cases = await Array.fromAsync(world.store.tests({ runId: state.runId, step: 'a', attempt: 1 }));
  t.deepEqual(
    cases.map(({ name, outcome }) => [name, outcome]),
    [
      ['a', 'passed'],
      ['b', 'failed'],
    ],
  );
});

test('secrets are masked wherever people read them', async (t) => {
  const world = await openWorld(t, { secrets: { TOKEN: 'hunter2-hunter2' } });
  const state = await drive(
    world,
    `pipeline: p
steps:
  a:
    secrets: [TOKEN]
    outputs: { values: [leak] }
    junit: r.xml
    run: |
      echo "token $TOKEN" && echo "leak=$TOKEN" >> "$SLUICE_OUTPUT"
      echo "<testsuite><testcase name='t'><failure message='$TOKEN'/></testcase></testsuite>" > r.xml
`,
  );
  t.is(world.logOf('a'), 'token ***\n');
  const events = JSON.stringify(await world.store.events(state.runId));
  const cases = JSON.stringify(await Array.fromAsync(world.store.tests({ runId: state.runId, step: 'a', attempt: 1 })));
  t.false((events + cases).includes('hunter2'));
});

test('a missing secret is a problem before the run', async (t) => {
  const world = await openWorld(t);
  const prepared = await world.prepare('pipeline: p\nsteps:\n  a: { run: "true", secrets: [TOKEN] }\n');
  t.false(prepared.ok);
  t.deepEqual(prepared.ok ? [] : prepared.problems.map(({ code, line }) => [code, line]), [['secret-missing', 3]]);
});

test('a secret of a step that cannot run this time is not asked for', async (t) => {
  const world = await openWorld(t);
  const publish = `b: { run: "true", secrets: [TOKEN], if: "branch == 'elsewhere'" }`;
  t.true((await world.prepare(`pipeline: p\nsteps:\n  a: { run: "true" }\n  ${publish}\n`)).ok);
});

test('an interrupted run stops its step, runs finally, and ends cancelled', async (t) => {
  const world = await openWorld(t);
  const interrupt = new AbortController();
  world.on('attempt-placed', () => interrupt.abort());
  const yaml =
    'pipeline: p\nsteps:\n  a: { run: sleep 60 }\n  b: { run: "true" }\nfinally:\n  clean: { run: "true" }\n';
  const state = await drive(world, yaml, interrupt.signal);
  t.deepEqual(endings(state), { a: 'interrupted', b: 'run_cancelled', clean: 'succeeded' });
  t.is(state.verdict?.reason, 'interrupted');
});

test('another process can cancel a run', async (t) => {
  const world = await openWorld(t);
  world.on('attempt-placed', (state) => void world.engine.cancel(state.runId, 'somebody').catch(() => t.fail()));
  const state = await drive(world, 'pipeline: p\nsteps:\n  a: { run: sleep 60 }\n');
  t.is(state.verdict?.reason, 'cancelled');
  await t.throwsAsync(world.engine.cancel(state.runId, 'somebody'), { code: 'ERR_USAGE' });
});

test('R001-10: a step that asks for approval waits for it', async (t) => {
  const world = await openWorld(t);
  const decision = { approved: true, by: 'somebody', comment: '' };
  world.on(
    'approval-requested',
    (state) => void world.engine.approve(state.runId, 'ask', decision).catch(() => t.fail()),
  );
  const state = await drive(
    world,
    'pipeline: p\nsteps:\n  ask: { approval: { message: deploy? } }\n  a: { run: "true" }\n',
  );
  t.deepEqual(endings(state), { ask: 'succeeded', a: 'succeeded' });
});

test('a run waits while its concurrency group is held, and starts when it is free', async (t) => {
  const world = await openWorld(t);
  const yaml = 'pipeline: p\nconcurrency: { group: g }\nsteps:\n  a: { run: sleep 0.3 }\n';
  const [first, second] = await Promise.all([drive(world, yaml), drive(world, yaml)]);
  t.is(first.verdict?.outcome, 'succeeded');
  t.is(second.verdict?.outcome, 'succeeded');
  const [one, two] = [first, second].toSorted((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0));
  t.true((two?.startedAt ?? 0) >= (one?.finishedAt ?? Infinity));
});

test('policy cancel: a newer run takes the place of the older', async (t) => {
  const world = await openWorld(t);
  const yaml = 'pipeline: p\nconcurrency: { group: g, policy: cancel }\nsteps:\n  a: { run: sleep 60 }\n';
  const quick = yaml.replace('sleep 60', 'sleep 0');
  let second: Promise<RunState> | undefined;
  world.on('attempt-placed', () => {
    second = drive(world, quick);
  });
  const first = await drive(world, yaml);
  t.is(first.verdict?.reason, 'superseded');
  t.is((await second)?.verdict?.outcome, 'succeeded');
});

test('policy reject: a run ends at once while its group is held', async (t) => {
  const world = await openWorld(t);
  const yaml = 'pipeline: p\nconcurrency: { group: g, policy: reject }\nsteps:\n  a: { run: sleep 60 }\n';
  let second: Promise<RunState> | undefined;
  world.on('attempt-placed', (first) => {
    second = drive(world, yaml).finally(() => world.engine.cancel(first.runId, 'test'));
  });
  t.is((await drive(world, yaml)).verdict?.reason, 'cancelled');
  t.is((await second)?.verdict?.reason, 'group_busy');
});

test('a rerun of the failed takes over what was green, with its outputs', async (t) => {
  const world = await openWorld(t);
  const marker = world.path('marker');
  const first = await drive(
    world,
    `pipeline: p
steps:
  build: { run: 'echo v=7 >> "$SLUICE_OUTPUT"', outputs: { values: [v] } }
  flaky: { run: 'test -e ${marker} && echo "$V"', env: { V: "\${{ needs.build.outputs.v }}" } }
  last: { run: "true" }
`,
  );
  t.deepEqual(endings(first), { build: 'succeeded', flaky: 'exit_code', last: 'needs_failed' });
  await world.write('marker');
  const runId = await world.engine.rerun(first.runId, { kind: 'failed' });
  const second = await world.engine.drive(runId, world.observer, new AbortController().signal);
  t.is(second.verdict?.outcome, 'succeeded');
  t.is(second.steps.get('build')?.carriedFrom, first.runId);
  t.is(second.steps.get('build')?.attempts.length, 0);
  await t.throwsAsync(world.engine.rerun(runId, { kind: 'failed' }), { code: 'ERR_USAGE' });
  const third = await world.engine.rerun(runId, { kind: 'from', step: 'flaky' });
  const again = await world.engine.drive(third, world.observer, new AbortController().signal);
  t.deepEqual(
    [...again.steps].map(([id, { attempts }]) => [id, attempts.length]),
    [
      ['build', 0],
      ['flaky', 1],
      ['last', 1],
    ],
  );
});

test('a run of which only a finally step failed can be repeated', async (t) => {
  const world = await openWorld(t);
  const yaml = `pipeline: p\nsteps:\n  a: { run: "true" }\nfinally:\n  clean: { run: "test -e ${world.path('marker')}" }\n`;
  const first = await drive(world, yaml);
  t.is(first.verdict?.reason, 'step_failed');
  await world.write('marker');
  const runId = await world.engine.rerun(first.runId, { kind: 'failed' });
  const second = await world.engine.drive(runId, world.observer, new AbortController().signal);
  t.is(second.verdict?.outcome, 'succeeded');
  t.is(second.steps.get('a')?.carriedFrom, first.runId);
});

test('R000-21: a run whose process is gone ends as runner_lost', async (t) => {
  const world = await openWorld(t, { owner: { id: 'dead', host: '', pid: 0, startedAt: '' } });
  const runId = await world.start('pipeline: p\nsteps:\n  a: { run: "true" }\n  b: { run: "true" }\n');
  t.deepEqual(await world.engine.recover(), [runId]);
  const state = await world.engine.state(runId);
  t.deepEqual(endings(state), { a: 'run_cancelled', b: 'run_cancelled' });
  t.is(state.steps.get('b')?.verdict?.message, 'the runner ended before it started');
  t.is(state.verdict?.reason, 'runner_lost');
  t.deepEqual(await world.engine.recover(), []);
});

test('whoever drives a run has its executor look for what others left, also where no step is left to run', async (t) => {
  const world = await openWorld(t);
  const runId = await world.start('pipeline: p\nsteps:\n  a: { run: "true", if: "false" }\n');
  let asked = 0;
  Object.assign(world.executor, { anticipate: () => (asked += 1) });
  await world.engine.drive(runId, world.observer, new AbortController().signal);
  t.is(asked, 1);
});
