import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { pipesScript } from './boot-script.ts';
import { foldersBelow } from './folders.ts';
import { openGate } from './step-gate.ts';
import type { OutputListener, StepGate } from './step-gate.ts';

interface Opened {
  readonly gate: StepGate;
  /** What a shell or a command beside does with the pipes. */
  readonly shell: (script: string) => Promise<unknown>;
}

async function opened(t: ExecutionContext, listener: OutputListener = () => Promise.resolve()): Promise<Opened> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-gate-'));
  const folders = foldersBelow(root);
  await promisify(execFile)('sh', ['-c', pipesScript(folders.control)]);
  const gate = openGate(folders, listener);
  t.teardown(() => {
    gate.close();
    gate.close();
    return rm(root, { recursive: true, force: true });
  });
  const shell = (script: string): Promise<unknown> =>
    promisify(execFile)('sh', ['-c', script], { cwd: folders.control, timeout: 10_000 });
  return { gate, shell };
}

test('the word of the shell is heard after what it began with', async (t) => {
  const { gate, shell } = await opened(t);
  await shell('echo begun > done; echo 3 > done');
  await gate.begun;
  t.deepEqual(await gate.word, { exitCode: 3 });
});

test('a shell whose word was said by somebody else before still comes to its end', async (t) => {
  const { gate, shell } = await opened(t);
  await shell('echo 0 > done');
  t.deepEqual(await gate.word, { exitCode: 0 });
  // A reader whose pipe has come to its end goes away a moment later.
  await sleep(200);
  await t.notThrowsAsync(shell('echo 3 > done'));
});

test('what is no word is neither taken for one nor holds up who says it', async (t) => {
  const { gate, shell } = await opened(t);
  await shell('head -c 200000 /dev/zero > done; echo nonsense > done; printf 1 > done; printf "2\\n" > done');
  t.deepEqual(await gate.word, { exitCode: 12 });
});

test('who asked first that a step ends stays written for it to read', async (t) => {
  const { gate, shell } = await opened(t);
  gate.signal('TERM', 'cluster');
  gate.signal('KILL', 'runner');
  t.like(await shell('cat stopping'), { stdout: 'cluster' });
});

test('output is read at the pace of who takes it, to its last byte', async (t) => {
  let bytes = 0;
  let busy = false;
  const { gate, shell } = await opened(t, async (chunk) => {
    t.false(busy);
    busy = true;
    bytes += chunk.length;
    await new Promise(setImmediate);
    busy = false;
  });
  await shell('head -c 3000000 /dev/zero > out; echo 0 > done');
  await gate.word;
  await gate.outputEnded;
  t.is(bytes, 3_000_000);
});
