import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SluiceError } from '../../model/errors.ts';
import type { AttemptKey } from '../../model/result.ts';
import { createFileLogs } from './file-logs.ts';
import { logPath } from './log-path.ts';
import { FileLogWriter } from './log-writer.ts';
import type { LogLine, Logs } from './logs.ts';
import { tallyFile } from './tally.ts';

const key: AttemptKey = { runId: 'r1', step: 'load/k6:a-b', attempt: 1 };
const quiet = { secrets: [], maxBytes: 1e9, observer: () => undefined, onLimit: () => undefined };

async function makeFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-logs-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function readAll(logs: Logs, range?: { readonly start: number; readonly end?: number }): Promise<string> {
  return (await buffer(await logs.read(key, range))).toString('latin1');
}

async function linesOf(logs: Logs): Promise<readonly LogLine[]> {
  return Array.fromAsync(logs.lines(key));
}

const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');

test('bytes are kept exactly, sealed with length, lines and digest, and given back whole or in part', async (t) => {
  const logs = createFileLogs(await makeFolder(t));
  const text = 'one\r\ntwo \0 \xff\xfe\n\nlast without end';
  const writer = await logs.open(key, quiet);
  for (const byte of Buffer.from(text, 'latin1')) await writer.write(Buffer.of(byte));
  const seal = await writer.seal(true);
  t.deepEqual(seal, { bytes: text.length, lines: 4, sha256: sha256(text), complete: true, masked: 0 });
  t.is(await writer.seal(false), seal);
  t.is(await readAll(logs), text);
  t.is(await readAll(logs, { start: 5, end: 8 }), 'two');
  t.is(await readAll(logs, { start: 5, end: 5 }), '');
  t.is(await readAll(logs, { start: 999 }), '');
  t.deepEqual(
    (await linesOf(logs)).map(({ bytes }) => Buffer.from(bytes).toString('latin1')),
    ['one', 'two \0 \xff\xfe', '', 'last without end'],
  );
  await t.throwsAsync(writer.write(Buffer.from('late')), { code: 'ERR_INTERNAL' });
});

test('a line has the time at which its first byte arrived', async (t) => {
  let now = 1_000;
  const logs = createFileLogs(await makeFolder(t), () => now);
  const writer = await logs.open(key, quiet);
  for (const [at, text] of [
    [1_000, 'a\nb'],
    [2_000, 'b'],
    [3_000, 'b\nc\n'],
    [3_000, 'd\n'],
    [9_000, 'e'],
  ] as const) {
    now = at;
    await writer.write(Buffer.from(text));
  }
  await writer.seal(true);
  const lines = (await linesOf(logs)).map(({ at, bytes }) => `${at} ${Buffer.from(bytes).toString()}`);
  t.deepEqual(lines, ['1000 a', '1000 bbb', '3000 c', '3000 d', '9000 e']);
});

test('secrets reach neither file nor observer, whatever the chunks, and what is held back comes with the seal', async (t) => {
  const logs = createFileLogs(await makeFolder(t));
  let seen = '';
  const observer = (chunk: Uint8Array): void => void (seen += Buffer.from(chunk).toString());
  const writer = await logs.open(key, { ...quiet, secrets: ['s3cr3t-token'], observer });
  for (const part of ['a s3cr', '3t-tok', 'en b ', 's3cr3t-tok']) await writer.write(Buffer.from(part));
  t.is(seen, 'a *** b ');
  t.is(await readAll(logs), seen);
  t.like(await writer.seal(true), { masked: 1, sha256: sha256('a *** b s3cr3t-tok') });
  t.is(seen, 'a *** b s3cr3t-tok');
});

test('writes that do not wait for each other keep their order', async (t) => {
  const logs = createFileLogs(await makeFolder(t));
  const writer = await logs.open(key, quiet);
  const numbers = Array.from({ length: 500 }, (_, number) => `${number}\n`);
  await Promise.all(numbers.map((text) => writer.write(Buffer.from(text))));
  t.like(await writer.seal(true), { lines: 500, sha256: sha256(numbers.join('')) });
});

test('over its limit a log keeps its head, says so once, and is not complete', async (t) => {
  const folder = await makeFolder(t);
  const logs = createFileLogs(folder);
  let limits = 0;
  let seen = '';
  const options = {
    secrets: [],
    maxBytes: 10,
    observer: (chunk: Uint8Array) => void (seen += Buffer.from(chunk).toString()),
    onLimit: () => void (limits += 1),
  };
  const writer = await logs.open(key, options);
  for (const text of ['12345\n', '7890', 'more', 'and more']) await writer.write(Buffer.from(text));
  const seal = await writer.seal(true);
  const expected = '12345\n7890\n[sluice] the log ends here: the limit of 10 bytes is reached\n';
  t.is(await readAll(logs), expected);
  t.is(seen, expected);
  t.is(limits, 1);
  t.like(seal, { complete: false, lines: 3, bytes: expected.length, sha256: sha256(expected) });

  const again = await logs.open(key, options);
  await again.write(Buffer.from('still more'));
  await again.seal(true);
  t.is(await readAll(logs), expected);
  t.is(limits, 2);
});

test('a log of exactly its limit is whole', async (t) => {
  const logs = createFileLogs(await makeFolder(t));
  const writer = await logs.open(key, { ...quiet, maxBytes: 5, onLimit: () => t.fail() });
  await writer.write(Buffer.from('12345'));
  t.like(await writer.seal(true), { complete: true, bytes: 5 });
});

test('a log left open is continued, and times of bytes that are not there are dropped', async (t) => {
  const folder = await makeFolder(t);
  let now = 1_000;
  const logs = createFileLogs(folder, () => now);
  const { bytes, times } = logPath(folder, key);
  const first = await logs.open(key, quiet);
  await first.write(Buffer.from('kept\n'));
  now = 2_000;
  await first.write(Buffer.from('lost by the disk'));
  now = 2_500;
  await first.write(Buffer.from(', all of it'));
  await truncate(bytes, 5);
  await appendFile(times, 'torn');

  t.teardown(() => first.seal(false));

  now = 3_000;
  const second = await logs.open(key, quiet);
  await second.write(Buffer.from('new\n'));
  t.like(await second.seal(true), { bytes: 9, lines: 2, sha256: sha256('kept\nnew\n') });
  const lines = (await linesOf(logs)).map((line) => `${line.at} ${Buffer.from(line.bytes).toString()}`);
  t.deepEqual(lines, ['1000 kept', '3000 new']);
});

test('what write has resolved for survives kill -9', async (t) => {
  const folder = await makeFolder(t);
  const script = `
    import { createFileLogs } from ${JSON.stringify(new URL('file-logs.ts', import.meta.url).href)};
    const options = { secrets: ['s3cr3t-token'], maxBytes: 1e9, observer() {}, onLimit() {} };
    const writer = await createFileLogs(${JSON.stringify(folder)}).open(${JSON.stringify(key)}, options);
    for (let line = 1; ; line += 1) {
      await writer.write(Buffer.from('line ' + line + '\\n'));
      process.stdout.write(line + '\\n');
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acknowledged = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    acknowledged += text;
    if (acknowledged.length > 5_000) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.on('close', resolve));
  const last = Number(acknowledged.slice(0, acknowledged.lastIndexOf('\n')).split('\n').at(-1));
  const logs = createFileLogs(folder);
  const stored = (await readAll(logs)).split('\n').slice(0, -1);
  t.true(last > 100);
  t.true(stored.length >= last);
  t.deepEqual(
    stored,
    stored.map((_, index) => `line ${index + 1}`),
  );
  const seal = await (await logs.open(key, quiet)).seal(false);
  t.like(seal, { lines: stored.length, complete: false });
});

test('a line longer than 1 MiB comes in pieces', async (t) => {
  const logs = createFileLogs(await makeFolder(t));
  const writer = await logs.open(key, quiet);
  await writer.write(Buffer.from(`${'x'.repeat(2_500_000)}\nend\n`));
  t.like(await writer.seal(true), { lines: 2 });
  t.deepEqual(
    (await linesOf(logs)).map(({ bytes }) => bytes.length),
    [1_048_576, 1_048_576, 402_848, 3],
  );
});

test('an attempt without a log is not found', async (t) => {
  const logs = createFileLogs(await makeFolder(t));
  await t.throwsAsync(logs.read(key), {
    code: 'ERR_NOT_FOUND',
    message: /attempt 1 of load\/k6:a-b in run r1 has no log/,
  });
  await t.throwsAsync(linesOf(logs), { code: 'ERR_NOT_FOUND' });
});

test('every step id has a file of its own inside the folder', async (t) => {
  const folder = await makeFolder(t);
  const logs = createFileLogs(folder);
  const steps = [
    'unit',
    'Unit',
    'load/k6:a-b',
    'load/k6:a:b',
    '../../../escape',
    '..',
    '.',
    '',
    'ü',
    'x'.repeat(300),
    'a\0b',
    'CON',
  ];
  for (const step of steps) {
    const writer = await logs.open({ ...key, step }, quiet);
    await writer.write(Buffer.from(step));
    await writer.seal(true);
  }
  for (const step of steps) t.is((await buffer(await logs.read({ ...key, step }))).toString(), step);
  t.deepEqual(await readdir(folder), ['r1']);
  const names = await readdir(join(folder, 'r1'));
  t.is(new Set(names.map((name) => name.toLowerCase())).size, steps.length * 2);
  t.is((await readFile(join(folder, 'r1', 'unit.1.log'))).toString(), 'unit');
});

if (existsSync('/dev/full')) {
  test('a disk that is full is said, with the file', async (t) => {
    const path = logPath(await makeFolder(t), key);
    await mkdir(path.folder, { recursive: true });
    const times = openSync(path.times, 'a');
    await writeFile(path.bytes, '');
    const full = { path, bytes: openSync('/dev/full', 'a'), times, tally: await tallyFile(path.bytes) };
    const writer = new FileLogWriter(full, quiet, Date.now);
    const error = await t.throwsAsync(writer.write(Buffer.from('x')), { instanceOf: SluiceError, code: 'ERR_FULL' });
    t.true(error.message.includes(path.bytes));
    for (const descriptor of [full.bytes, times]) closeSync(descriptor);
  });
}

const secret = 'correct-horse-battery';
const resumed = { ...quiet, secrets: [secret], resumes: true };

/** Kept, so that their files stay open as those of a process that is still there. */
const killed: unknown[] = [];

/** What a writer does that can say its output again from any byte, and is killed after some pieces. */
async function writePart(logs: Logs, output: Uint8Array, pieces: number, pieceBytes: number): Promise<void> {
  const writer = await logs.open(key, resumed);
  killed.push(writer);
  for (let at = writer.offset; at < output.length && pieces > 0; at += pieceBytes, pieces -= 1) {
    await writer.write(output.subarray(at, at + pieceBytes));
  }
}

for (const pieceBytes of [1, 7, 64, 1_000]) {
  test(`I6: a log goes on exactly where its writer was killed, secrets across the cut included (pieces of ${pieceBytes})`, async (t) => {
    const folder = await makeFolder(t);
    const logs = createFileLogs(folder);
    const lines = Array.from(
      { length: 60 },
      (_, index) => `${index} ${secret} ${Buffer.from(secret).toString('base64')}\n`,
    );
    const output = Buffer.from(lines.join(''));
    for (let kills = 1; kills < 40; kills += 1) {
      await writePart(logs, output, Math.ceil((kills * 97) / pieceBytes), pieceBytes);
      // The kill may come between the bytes and their mark, or in the middle of a mark.
      const { bytes, raw } = logPath(folder, key);
      if (kills % 3 === 0) await truncate(raw, Math.max(0, (await readFile(raw)).length - (kills % 13)));
      if (kills % 4 === 0) await appendFile(bytes, 'not marked');
    }
    const writer = await logs.open(key, resumed);
    await writer.write(output.subarray(writer.offset));
    const seal = await writer.seal(true);
    const whole = await createFileLogs(await makeFolder(t)).open(key, resumed);
    await whole.write(output);
    t.is(seal.sha256, (await whole.seal(true)).sha256);
    t.false((await readAll(logs)).includes(secret));
  });
}

test('secrets that become known later are masked from then on, and what was held back before is not lost', async (t) => {
  const logs = createFileLogs(await makeFolder(t));
  const writer = await logs.open(key, { ...quiet, secrets: ['first secret'] });
  await writer.write(Buffer.from('first secret, second secret, first sec'));
  writer.conceal(['first secret', 'second secret']);
  await writer.write(Buffer.from(' then second sec'));
  await writer.write(Buffer.from('ret and first secret'));
  t.like(await writer.seal(true), { masked: 3, complete: true });
  t.is(await readAll(logs), '***, second secret, first sec then *** and ***');
});
