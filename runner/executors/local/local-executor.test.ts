import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
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
