import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { executorContract } from '../executor-contract.ts';
import type { Subject } from '../executor-contract.ts';
import { loseAttempt } from '../testing/lose-attempt.ts';
import { Recorder } from '../testing/recorder.ts';
import { specOf, stepOf } from '../testing/spec-of.ts';
import { createLocalExecutor } from './local-executor.ts';

const baseEnv = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', BASE: 'from the machine' };
const parent = mkdtempSync(join(tmpdir(), 'sluice-local-'));
test.after.always(() => rmSync(parent, { recursive: true, force: true }));

function create(): Promise<Subject> {
  const folder = mkdtempSync(join(parent, 'work-'));
  return Promise.resolve({
    executor: createLocalExecutor({ folder, baseEnv, graceMs: 1_000 }),
    baseNames: ['BASE', 'SLUICE_ATTEMPT_ID'],
    leftovers: () =>
      Promise.resolve(
        readdirSync(folder, { recursive: true })
          .filter((name) => name !== 'attempts')
          .map(String),
      ),
    abandon: (spec) => loseAttempt(folder, baseEnv, spec),
  });
}

executorContract(create);

test('a process that hides from every search does not keep the step from ending', async (t) => {
  const { executor } = await create();
  const seen = new Recorder();
  const script = `(setsid env -i sh -c 'sleep 60 & echo $!')\necho end`;
  const outcome = await executor.execute(specOf(stepOf(script)), seen);
  const [pid = '', end] = seen.text.split('\n');
  process.kill(Number(pid), 'SIGKILL');
  t.is(outcome.outcome, 'succeeded');
  t.is(end, 'end');
  await executor.close();
});

test('what the command puts in the place of its folders is not looked into', async (t) => {
  const { executor } = await create();
  const outside = mkdtempSync(join(parent, 'outside-'));
  writeFileSync(join(outside, 'secret'), 'not of the workspace');
  for (const swap of [`rm -rf ../workspace; ln -s ${outside} ../workspace`, 'rm -rf ../workspace']) {
    const step = stepOf(swap, { artifacts: [{ path: 'secret', required: false }] });
    const outcome = await executor.execute(specOf(step), new Recorder());
    t.like(outcome, { reason: 'unsafe_path', message: 'secret', files: { length: 0 } });
  }
  await executor.close();
});

test('a home that the command removed keeps nothing else from being collected', async (t) => {
  const { executor } = await create();
  const caches = [{ key: 'k', paths: ['f'] }];
  const outcome = await executor.execute(specOf(stepOf('echo x > f; rm -rf "$HOME"'), { caches }), new Recorder());
  t.is(outcome.outcome, 'succeeded');
  t.deepEqual(Object.keys(outcome.caches), ['k']);
  await executor.close();
});

test('close does not wait for files that are still collected', async (t) => {
  const { executor } = await create();
  const seen = new Recorder();
  const collecting = Promise.withResolvers<undefined>();
  seen.blobs.put = async (content) => {
    collecting.resolve(undefined);
    await once(content, 'close');
    throw new Error('the content ended early');
  };
  const step = stepOf('echo x > f', { artifacts: [{ path: 'f', required: true }] });
  const ending = executor.execute(specOf(step), seen);
  await collecting.promise;
  await executor.close();
  t.like(await ending, { outcome: 'cancelled', reason: 'interrupted' });
});
