import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { AttemptKey, LogSeal } from '../../model/result.ts';
import { openBlobs } from '../../store/blobs.ts';
import { createFileLogs } from './file-logs.ts';
import { logPath } from './log-path.ts';
import type { Logs } from './logs.ts';
import { createSharedLogs } from './shared-logs.ts';

const key: AttemptKey = { runId: 'r1', step: 'unit', attempt: 1 };
const quiet = { secrets: ['hunter2hunter2'], maxBytes: 1e9, observer: () => undefined, onLimit: () => undefined };

/** Runners with folders of their own, and blobs that both see. */
async function twoRunners(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-logs-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const blobs = await openBlobs(join(folder, 'blobs'));
  let now = 1_000;
  const clock = () => (now += 1_000);
  const runner = (name: string) => createSharedLogs(createFileLogs(join(folder, name), clock), blobs);
  return { first: runner('first'), second: runner('second'), firstFolder: join(folder, 'first') };
}

const read = async (logs: Logs, seal?: LogSeal, range?: { readonly start: number; readonly end?: number }) =>
  (await buffer(await logs.read(key, range, seal))).toString('latin1');

async function write(logs: Logs, ...chunks: readonly string[]): Promise<LogSeal> {
  const writer = await logs.open(key, quiet);
  for (const chunk of chunks) await writer.write(Buffer.from(chunk, 'latin1'));
  return writer.seal(true);
}

test('a sealed log is shown by a runner that never had its files: whole, in part, and by lines with their times', async (t) => {
  const { first, second } = await twoRunners(t);
  const writer = await first.open(key, quiet);
  for (const chunk of ['one\ntoken hunter2hunter2\n', '\xff last']) await writer.write(Buffer.from(chunk, 'latin1'));
  const seal = await writer.seal(true);
  t.is(await writer.seal(false), seal);
  t.regex(seal.arrivals ?? '', /^[0-9a-f]{64}$/);
  const text = await read(first, seal);
  t.regex(text, /^one\ntoken \S+\n\xff last$/);
  t.notRegex(text, /hunter2/);
  t.is(await read(second, seal), text);
  t.is(await read(second, seal, { start: 4, end: 9 }), 'token');
  t.is(await read(second, seal, { start: 4 }), text.slice(4));
  t.is(await read(second, seal, { start: 999 }), '');
  const lines = await Array.fromAsync(second.lines(key, seal));
  t.deepEqual(lines, await Array.fromAsync(first.lines(key)));
  t.true((lines[0]?.at ?? 0) < (lines[2]?.at ?? 0));
});

test('what is not sealed is on the machine that writes it only', async (t) => {
  const { first, second } = await twoRunners(t);
  const writer = await first.open(key, quiet);
  await writer.write(Buffer.from('one\n'));
  t.is(await read(first), 'one\n');
  await t.throwsAsync(read(second), { code: 'ERR_NOT_FOUND' });
  await writer.seal(true);
});

test('the files of a runner that lost its run do not stand in the way of what the next one sealed', async (t) => {
  const { first, second } = await twoRunners(t);
  const lost = await first.open(key, quiet);
  await lost.write(Buffer.from('one\nhalf of'));
  const seal = await write(second, 'one\nhalf of two\n');
  t.is(await read(first, seal), 'one\nhalf of two\n');
  t.is((await Array.fromAsync(first.lines(key, seal))).length, 2);
  await lost.seal(false);
});

test('a log without a byte needs no blob, and one that was sealed before there were any is read from its file', async (t) => {
  const { first, second, firstFolder } = await twoRunners(t);
  const seal = await write(first);
  t.deepEqual([seal.bytes, seal.arrivals], [0, undefined]);
  t.is(await read(second, seal), '');
  const old = createFileLogs(firstFolder);
  const other = { ...key, attempt: 2 };
  const writer = await old.open(other, quiet);
  await writer.write(Buffer.from('old'));
  const oldSeal = await writer.seal(true);
  t.is((await buffer(await first.read(other, undefined, oldSeal))).toString(), 'old');
});

test('a log that was changed before it became a blob is not sealed', async (t) => {
  const { first, firstFolder } = await twoRunners(t);
  const writer = await first.open(key, quiet);
  await writer.write(Buffer.from('one\n'));
  await appendFile(logPath(firstFolder, key).bytes, 'forged\n');
  await t.throwsAsync(writer.seal(true), { code: 'ERR_CORRUPT', message: /attempt 1 of unit in run r1/ });
});
