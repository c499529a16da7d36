import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '../../model/json.ts';
import test from 'ava';
import { executorContract } from '../executor-contract.ts';
import type { Subject } from '../executor-contract.ts';
import type { AttemptSpec } from '../executor.ts';
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
    abandon: (spec) => abandon(folder, spec),
  });
}

async function abandon(folder: string, spec: AttemptSpec): Promise<Readonly<Record<string, Json>>> {
  const program = new URL('../testing/lost-runner.ts', import.meta.url).pathname;
  const runner = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  runner.stdin.end(JSON.stringify({ folder, baseEnv, spec }));
  const [place] = (await once(runner.stdout, 'data')) as [Buffer];
  const ended = once(runner, 'exit');
  runner.kill('SIGKILL');
  await ended;
  return JSON.parse(place.toString()) as Readonly<Record<string, Json>>;
}

executorContract(create);
