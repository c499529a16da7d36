import test from 'ava';
import { verdictOf } from '../../model/outcome.ts';
import { lifecycleContract } from '../executor-contract.ts';
import { Recorder } from '../testing/recorder.ts';
import { specOf, stepOf } from '../testing/spec-of.ts';
import { FakeExecutor } from './fake-executor.ts';
import type { FakeAttempt } from './fake-executor.ts';

/** The commands of the contract. */
function interpret(script: string): FakeAttempt {
  const commands = script.split(';').map((command) => command.trim().split(' '));
  const exit = commands.find(([command]) => command === 'exit')?.[1];
  return {
    log: commands.flatMap(([command, word = '']) => (command === 'echo' ? [`${word}\n`] : [])),
    ...(commands.some(([command]) => command === 'sleep') ? { until: 'stopped' } : {}),
    ...(exit === undefined ? {} : { exitCode: Number(exit) }),
  };
}

lifecycleContract(() =>
  Promise.resolve({
    executor: new FakeExecutor({ script: ({ step }) => interpret(step.script) }),
    baseNames: [],
    leftovers: () => Promise.resolve([]),
    abandon: () => Promise.resolve({}),
  }),
);

test('an attempt ends when its test says so', async (t) => {
  const gate = Promise.withResolvers<undefined>();
  const executor = new FakeExecutor({ script: () => ({ log: ['up'], until: gate.promise }) });
  const ending = executor.execute(specOf(stepOf('anything')), new Recorder());
  t.is(executor.running, 1);
  gate.resolve(undefined);
  t.is((await ending).outcome, 'succeeded');
  t.is(executor.running, 0);
});

test('everything that was scripted is delivered, what builds on success only after it', async (t) => {
  const results: FakeAttempt = {
    notes: ['cache hit'],
    files: { 'r.xml': { kind: 'junit', text: '<testsuite/>' } },
    output: 'a=1\n',
    handover: { 'dist/app': 'built' },
    caches: { npm: { '~/.npm/x': 'y' } },
  };
  const executor = new FakeExecutor({
    script: ({ attempt }) => (attempt === 1 ? results : { ...results, exitCode: 1 }),
  });
  const seen = new Recorder();
  const good = await executor.execute(specOf(stepOf('')), seen);
  const bad = await executor.execute(specOf(stepOf(''), { attempt: 2 }), seen);
  t.is(seen.blobs.text(good.files[0]?.sha256), '<testsuite/>');
  t.deepEqual(await seen.blobs.members(good.handover ?? ''), ['dist/app']);
  t.deepEqual(Object.keys(good.caches), ['npm']);
  t.like(bad, { outcome: 'failed', reason: 'exit_code', output: 'a=1\n', caches: {} });
  t.is(bad.handover, undefined);
  t.is(bad.files.length, 1);
  t.deepEqual(seen.notes, ['cache hit', 'cache hit']);
});

test('any verdict and any defect can be scripted, for a lost attempt too', async (t) => {
  const executor = new FakeExecutor({
    script: ({ attempt }) =>
      attempt === 1 ? { verdict: verdictOf('oom'), exitCode: 137 } : { defect: new Error('bug') },
    recover: () => ({ log: ['went on'] }),
    unsupported: () => 'never',
  });
  t.like(await executor.execute(specOf(stepOf('')), new Recorder()), { reason: 'oom', exitCode: 137 });
  await t.throwsAsync(executor.execute(specOf(stepOf(''), { attempt: 2 }), new Recorder()), { message: 'bug' });
  t.is((await executor.recover(specOf(stepOf('')), {}, new Recorder())).outcome, 'succeeded');
  t.is(executor.unsupportedReason(stepOf('')), 'never');
  t.deepEqual([executor.executed.length, executor.recovered.length], [2, 1]);
});
