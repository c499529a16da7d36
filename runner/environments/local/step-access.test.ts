import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { localEnvironments } from './step-access.ts';

test('steps that begin at the same moment all get a whole program, and nothing else is left in its folder', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-access-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const sluice = ['/bin/echo', "it's here"];
  const environments = localEnvironments({ folder, supervisor: { argv: ['false'], env: {} }, sluice });
  const [programs = '', ...others] = await Promise.all(Array.from({ length: 20 }, () => environments.programs()));
  t.deepEqual([...new Set(others)], [programs]);
  t.deepEqual(await readdir(programs), ['sluice']);
  t.is((await promisify(execFile)(join(programs, 'sluice'), ['now'])).stdout, "it's here now\n");
});
