import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { isAlive, thisProcess } from './owner.ts';

/** A process that lives until it is killed. */
function sleeper(command = 'sleep') {
  return spawn(command, ['60'], { stdio: 'ignore' });
}

test('this process is alive, and each owner that it makes is another one', (t) => {
  t.true(isAlive(thisProcess()));
  t.not(thisProcess().id, thisProcess().id);
  t.is(thisProcess().startedAt, thisProcess().startedAt);
});

test('a process is alive until it ends', async (t) => {
  const process = sleeper();
  const owner = { ...thisProcess(), pid: process.pid ?? 0, startedAt: '' };
  t.true(isAlive(owner));
  process.kill('SIGKILL');
  await once(process, 'exit');
  t.false(isAlive(owner));
});

test('a later process with the same pid is not the owner', (t) => {
  const owner = thisProcess();
  if (owner.startedAt === '') {
    t.pass('this system does not say when a process started');
    return;
  }
  t.false(isAlive({ ...owner, startedAt: `${owner.startedAt}0` }));
  t.true(isAlive({ ...owner, startedAt: '' }));
});

test('an owner on another host counts as alive', (t) => {
  t.true(isAlive({ ...thisProcess(), host: 'elsewhere', pid: 999_999_999 }));
});

test('the start of a process is read whatever its name looks like', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-owner-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const name = join(folder, 'a) Z (b 1');
  await symlink('/bin/sleep', name);
  const process = sleeper(name);
  t.teardown(() => process.kill('SIGKILL'));
  await once(process, 'spawn');
  const startedAt = thisProcess().startedAt && 'another start';
  t.true(isAlive({ ...thisProcess(), pid: process.pid ?? 0, startedAt: '' }));
  t.is(isAlive({ ...thisProcess(), pid: process.pid ?? 0, startedAt }), startedAt === '');
});

test('a process that ended and was not reaped is dead', async (t) => {
  if (thisProcess().startedAt === '') {
    t.pass('this system does not tell such processes apart');
    return;
  }
  // The shell becomes a sleeper that never asks how its child ended.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  await until(async () => (await readFile(`/proc/${parent.pid ?? 0}/comm`, 'utf8')) === 'sleep\n');
  process.kill(pid, 'SIGKILL');
  await until(async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')[2] === 'Z');
  t.false(isAlive({ ...thisProcess(), pid, startedAt: '' }));
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((wake) => setTimeout(wake, 5));
}
