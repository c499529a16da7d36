import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createAttemptFolder, readJournal, recordLeader } from './attempt-folder.ts';
import { identityOf, isRunning } from './process-table.ts';
import { removeAttempt } from './remove-attempt.ts';
import { sweep } from './sweep.ts';

const parent = mkdtempSync(join(tmpdir(), 'sluice-recovery-'));
test.after.always(() => rmSync(parent, { recursive: true, force: true }));

test('a process that got the pid of a lost one is left alone', async (t) => {
  const stranger = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  const identity = identityOf(stranger.pid ?? 0);
  const { root } = createAttemptFolder(join(parent, 'recycled'), '');
  recordLeader(root, { ...identity, startTime: '1' });
  recordLeader(root, { ...identity, bootId: 'another boot' });
  await removeAttempt(root);
  t.true(isRunning(identity));
  t.false(existsSync(root));
  stranger.kill('SIGKILL');
});

test('a recorded process is ended with its group', async (t) => {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  const identity = identityOf(child.pid ?? 0);
  const { root } = createAttemptFolder(join(parent, 'known'), '');
  recordLeader(root, identity);
  await removeAttempt(root);
  t.false(isRunning(identity));
});

test('a journal whose last line was cut short is read up to there', (t) => {
  const { root, marker } = createAttemptFolder(join(parent, 'cut'), '');
  recordLeader(root, { pid: 1, startTime: '2', bootId: '3' });
  appendFileSync(join(root, 'journal'), '{"leader":{"pi');
  t.like(readJournal(root), { marker, leaders: [{ pid: 1, startTime: '2', bootId: '3' }], folders: [] });
});

test('a folder without a journal is not an attempt and is not touched', async (t) => {
  const root = join(parent, 'mine');
  mkdirSync(root);
  writeFileSync(join(root, 'thesis.txt'), 'x');
  await removeAttempt(root);
  t.true(existsSync(join(root, 'thesis.txt')));
});

test('what a runner left that was killed before it had written the journal is removed', async (t) => {
  for (const journal of [undefined, '', '{"marker":"x","run']) {
    const root = join(parent, 'half-made');
    mkdirSync(root);
    if (journal !== undefined) writeFileSync(join(root, 'journal'), journal);
    await removeAttempt(root);
    t.false(existsSync(root), journal);
  }
});

test('attempts of runners that are gone are swept away, those of living ones stay', async (t) => {
  const attempts = join(parent, 'attempts');
  mkdirSync(attempts);
  const mine = createAttemptFolder(join(attempts, 'mine'), '');
  const lost = createAttemptFolder(join(attempts, 'lost'), '');
  const runner = { ...identityOf(process.pid), startTime: '1' };
  writeFileSync(join(lost.root, 'journal'), `${JSON.stringify({ marker: lost.marker, runner })}\n`);
  // Its runner was killed while it removed the folder.
  mkdirSync(join(attempts, 'gone-half', 'workspace'), { recursive: true });
  await sweep(attempts);
  t.false(existsSync(join(attempts, 'gone-half')));
  t.true(existsSync(mine.root));
  t.false(existsSync(lost.root));
});
