import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { junitXml } from './junit-xml.ts';
import { compiledCode } from './node.js';
import { countOf, readTap } from './read-tap.ts';
import type { TapResult } from './read-tap.ts';

/** Checks beside the tests; each counts as one. */
const checks = [
  { title: 'types', program: 'tsc', args: ['-p', '.'] },
  { title: 'lint', program: 'eslint', args: ['--max-warnings=0', '.'] },
  { title: 'format', program: 'prettier', args: ['--check', '--log-level=warn', '.'] },
  { title: 'unused', program: 'knip', args: [] },
];

interface Options {
  readonly files: readonly string[];
  /** Files that want the machine for themselves: they come last, one after the other. */
  readonly alone: readonly string[];
  /** The tests alone. */
  readonly testsOnly: boolean;
  readonly report: string;
  /** How long the tests may be silent, as ava has it. */
  readonly timeout: string;
  /** How many files run beside each other. */
  readonly concurrency: string;
}

/** Runs every check and every test even when some are red, and ends with the line `N passed, N failed`. */
async function checkAll(options: Options, signal: AbortSignal): Promise<number> {
  const results: TapResult[] = [];
  const add = (result: TapResult): void => {
    results.push(result);
    if (result.outcome === 'failed') console.log(`✗ ${result.suite} › ${result.title}\n${result.details}`);
  };
  const wanted = options.testsOnly ? [] : checks;
  for (const result of await Promise.all(wanted.map((check) => runCheck(check, signal)))) add(result);
  const { files, alone, timeout, concurrency } = options;
  if (files.length > 0) await runTests([`--timeout=${timeout}`, `--concurrency=${concurrency}`, ...files], add, signal);
  if (alone.length > 0) await runTests([`--timeout=${timeout}`, '--concurrency=1', ...alone], add, signal);
  await mkdir('reports', { recursive: true });
  await writeFile(`reports/${options.report}`, junitXml(results));
  return summarise(results);
}

async function runCheck({ title, program, args }: (typeof checks)[number], signal: AbortSignal): Promise<TapResult> {
  const env = { ...process.env, NO_COLOR: '1' };
  const child = spawn(program, args, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  let details = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (details += text));
  const code = await exitCode(child);
  if (code === 0) console.log(`✓ ${title}`);
  return { suite: 'checks', title, outcome: code === 0 ? 'passed' : 'failed', details };
}

async function runTests(args: readonly string[], add: (result: TapResult) => void, signal: AbortSignal): Promise<void> {
  const child = spawn('ava', ['--tap', ...args], {
    // Each file is a process that reads much of the sources: without their compiled code it is an eighth slower.
    env: { NODE_COMPILE_CACHE: compiledCode, ...process.env },
    signal,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = exitCode(child);
  let proven = false;
  let red = false;
  for await (const result of readTap(createInterface({ input: child.stdout }))) {
    proven ||= result.outcome === 'passed';
    red ||= result.outcome === 'failed';
    add(result);
  }
  const code = await ended;
  if (red || (proven && code === 0)) return;
  add({ suite: 'ava', title: `no test passed, or exit code ${code}`, outcome: 'failed', details: '' });
}

async function exitCode(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}

function summarise(results: readonly TapResult[]): number {
  const failed = countOf(results, 'failed');
  const skipped = countOf(results, 'skipped');
  if (skipped > 0) console.log(`${skipped} skipped`);
  console.log(`${countOf(results, 'passed')} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'tests-only': { type: 'boolean', default: false },
    alone: { type: 'string', multiple: true, default: [] },
    report: { type: 'string', default: 'junit.xml' },
    timeout: { type: 'string', default: '2m' },
    concurrency: { type: 'string', default: '2' },
  },
});
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interrupted.abort());
try {
  const { 'tests-only': testsOnly, ...rest } = values;
  process.exitCode = await checkAll({ files: positionals, testsOnly, ...rest }, interrupted.signal);
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  process.exitCode = 130;
}
