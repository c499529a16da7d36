import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';

const repeat = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i)).join('');
const head = 'pipeline: demo\nsteps: { lint: { run: npm run lint } }\n';
const bomb = `a0: &a0 [x, x, x]\n${repeat(30, (i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}, *a${i}]\n`)}`;

/** Each costs little to write, and much to a reader that is careless. */
const hostile: Readonly<Record<string, readonly [text: () => string, codes: readonly string[]]>> = {
  'aliases that grow to gigabytes': [() => bomb, ['missing-key', 'unknown-key', 'yaml-anchor', 'too-many-problems']],
  'merge keys of merge keys': [
    () => `${head}env: &x { a: 1 }\nwith: { <<: [${repeat(5000, () => '*x, ')}] }`,
    ['yaml-anchor', 'unknown-key', 'yaml-merge-key', 'too-many-problems'],
  ],
  'a tag that would run code': [() => `${head}env: !!js/function "process.exit(1)"`, ['yaml-tag']],
  '50 MB': [() => 'ab: 1\n'.repeat(8_500_000), ['file-too-large']],
  '5 MB on one line': [() => 'a'.repeat(5_000_000), ['file-too-large']],
  '50 MB of NUL': [() => '\0'.repeat(50_000_000), ['file-too-large']],
  '512 KiB of NUL': [() => '\0'.repeat(512 * 1024), ['bad-character']],
  '35,000 keys': [() => `${head}env:\n${repeat(35_000, (i) => ` K${i}: 1\n`)}`, ['file-too-large']],
  '20,000 keys': [() => `${head}env:\n${repeat(20_000, (i) => ` K${i}: 1\n`)}`, ['too-long']],
  '12,000 unknown keys': [() => `${head}${repeat(12_000, (i) => `k${i}: 1\n`)}`, ['unknown-key', 'too-many-problems']],
  '12,000 times the same key': [
    () => `${head}${repeat(12_000, () => 'k: 1\n')}`,
    ['unknown-key', 'duplicate-key', 'too-many-problems'],
  ],
  '30,000 entries that must differ': [
    () => `pipeline: demo\nsteps: { a: { run: x, secrets: [${repeat(30_000, (i) => `S${i},`)}] } }`,
    ['too-long'],
  ],
  '20,000 needs that are none': [
    () => `pipeline: demo\nsteps: { a: { run: x, needs: [${repeat(20_000, (i) => `{s${i}: 1},`)}] } }`,
    ['too-long', 'missing-key', 'unknown-key', 'too-many-problems'],
  ],
  '120,000 escapes that do not exist': [() => `a: "${'\\q'.repeat(120_000)}"`, ['yaml-escape']],
  '220,000 open brackets': [() => `a: ${'['.repeat(220_000)}`, ['file-too-large']],
  '40,000 lists in lists': [() => `${'- '.repeat(40_000)}a`, ['too-deep']],
  '20,000 keys in keys': [() => `${'? '.repeat(20_000)}a`, ['too-deep']],
  '15,000 maps in maps': [() => '{a: '.repeat(15_000), ['too-deep']],
  '700 levels of indentation': [() => repeat(700, (i) => `${' '.repeat(i)}a:\n`), ['too-deep']],
  '90,000 commas': [() => `a: [${','.repeat(90_000)}]`, ['yaml-syntax']],
  '250,000 closing brackets': [() => ']'.repeat(250_000), ['yaml-syntax']],
  '40,000 lines that are not YAML': [() => repeat(40_000, () => '@a\n'), ['yaml-unquoted']],
  '40,000 tags on a line': [() => '! '.repeat(40_000), ['yaml-unquoted', 'yaml-syntax', 'too-many-problems']],
  '10,000 documents': [() => 'a\n---\n'.repeat(10_000), ['wrong-type', 'yaml-documents']],
  'a key of 250,000 letters': [() => `${'k'.repeat(250_000)}: 1`, ['too-long']],
  'a duration that nearly fits': [() => `${head}timeout: ${'1h'.repeat(120_000)}x`, ['bad-format']],
  'a name that nearly fits': [() => `pipeline: ${'a-'.repeat(120_000)}\nsteps: {}`, ['bad-name', 'empty-value']],
  '250,000 spaces': [() => `pipeline:${' '.repeat(250_000)}demo # ${' '.repeat(100)}`, ['missing-key']],
};

const script = `
  import { parentPort } from 'node:worker_threads';
  import { parsePipelineFile } from '${new URL('parse-file.ts', import.meta.url).href}';
  parentPort.on('message', (text) => {
    const result = parsePipelineFile(text, 'sluice.yaml');
    parentPort.postMessage(result.ok ? [] : [...new Set(result.problems.map(({ code }) => code))]);
  });`;

test('every hostile file ends as a problem in a heap of 256 MiB', async (t) => {
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), {
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  try {
    for (const [title, [text, codes]] of Object.entries(hostile)) {
      worker.postMessage(text());
      const [found] = (await once(worker, 'message')) as [readonly string[]];
      t.deepEqual(found, codes, title);
    }
  } finally {
    await worker.terminate();
  }
});
