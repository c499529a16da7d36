/** Throughput of the log path and of the JUnit reader: `node e2e/bench/log-and-junit.ts`. */
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJUnit } from '../../runner/results/junit/read-junit.ts';
import { createFileLogs } from '../../runner/results/log/file-logs.ts';

const megabyte = 1_000_000;
const totalBytes = 200 * megabyte;
const pipeBytes = 65_536;

interface Row {
  readonly what: string;
  readonly MB: number;
  readonly seconds: number;
  readonly 'MB/s': number;
  /** Per second of processor time, which a busy machine changes less. */
  readonly 'MB/s CPU': number;
  readonly 'peak RSS MiB': number;
}

async function measure(what: string, work: () => Promise<number>): Promise<Row> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const bytes = await work();
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    what,
    MB: Math.round(bytes / megabyte),
    seconds: Number(seconds.toFixed(2)),
    'MB/s': Math.round(bytes / megabyte / seconds),
    'MB/s CPU': Math.round(bytes / (user + system)),
    'peak RSS MiB': Math.round(process.resourceUsage().maxRSS / 1_024),
  };
}

function logLine(number: number): string {
  const trace = (number * 2_654_435_761) % 4_294_967_296;
  return `2026-11-21T04:46:09.123Z INFO [worker-${number % 7}] GET /api/items/${number} 200 in ${number % 97} ms trace=${trace.toString(16)}\n`;
}

function testCase(number: number): string {
  const red =
    number % 50 === 0 ? `<failure message="expected ${number} &lt; 3">at check (src/${number}.ts:7:3)</failure>` : '';
  const output = `<system-out><![CDATA[${logLine(number)}]]></system-out>`;
  return `<testcase classname="api.items.Item${number % 31}Test" name="answers request ${number}" time="0.0${number % 10}">${red}${output}</testcase>\n`;
}

function block(text: (number: number) => string, from = 0): Buffer {
  return Buffer.from(Array.from({ length: 8_000 }, (_, number) => text(from + number)).join(''));
}

function secret(number: number): string {
  return `tok_${Buffer.from(`secret number ${number} of many`).toString('base64url')}`;
}

async function storeLog(folder: string, secrets: readonly string[]): Promise<number> {
  const writer = await createFileLogs(folder).open(
    { runId: 'bench', step: `secrets-${secrets.length}`, attempt: 1 },
    { secrets, maxBytes: Infinity, observer: () => undefined, onLimit: () => undefined },
  );
  const lines = Buffer.concat([block(logLine), Buffer.from(`token ${secrets[0] ?? 'none'}\n`)]);
  for (let written = 0; written < totalBytes; written += lines.length) {
    for (let start = 0; start < lines.length; start += pipeBytes)
      await writer.write(lines.subarray(start, start + pipeBytes));
  }
  const seal = await writer.seal(true);
  return seal.bytes;
}

async function writeReport(path: string): Promise<void> {
  const file = await open(path, 'w');
  let written = 0;
  await file.appendFile('<testsuites><testsuite name="bench">\n');
  for (let from = 0; written < totalBytes; from += 8_000) {
    const cases = block(testCase, from);
    await file.appendFile(cases);
    written += cases.length;
  }
  await file.appendFile('</testsuite></testsuites>\n');
  await file.close();
}

async function readReport(path: string): Promise<number> {
  let bytes = 0;
  async function* content(): AsyncGenerator<Uint8Array> {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      yield chunk;
    }
  }
  const { verdict, fault } = await parseJUnit(content(), path);
  if (verdict !== 'parse') throw new Error(`the report was not read: ${fault ?? verdict}`);
  return bytes;
}

const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
try {
  const report = join(folder, 'report.xml');
  await writeReport(report);
  const rows = [await measure('JUnit: read 200 MB', () => readReport(report))];
  for (const count of [0, 5, 50]) {
    const secrets = Array.from({ length: count }, (_, number) => secret(number));
    rows.push(await measure(`log: mask, hash, store, seal; ${count} secrets`, () => storeLog(folder, secrets)));
  }
  console.table(rows);
} finally {
  await rm(folder, { recursive: true });
}
