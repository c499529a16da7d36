import { readFileSync } from 'node:fs';
import test from 'ava';
import { compilePipeline } from './compile-pipeline.ts';
import { parsePipelineFile } from './parse-file.ts';
import { problemCodes } from './problem-codes.ts';

const page = readFileSync('docs/problems.md', 'utf8');
const entries = page.split(/^## /m).slice(1);
const examplesOf = (entry: string) => [...entry.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = '']) => text);

const load =
  'workflow: load\ninputs: { users: { type: number, required: true } }\nsteps: { k6: { run: k6 run load.js } }';
const workflows = {
  gates: new Map([['validate', 'workflow: validate\nsteps: { check: { run: ./check.sh } }']]),
  files: new Map([
    ['ci/load.yaml', load],
    ['ci/smoke.yaml', 'workflow: smoke\nsteps: { check: { run: ./check.sh } }'],
  ]),
};
const trigger = {
  event: 'push',
  ref: 'refs/heads/main',
  branch: 'main',
  tag: '',
  commit: 'a'.repeat(40),
  actor: 'ada',
} as const;

function codesIn(text: string): readonly string[] {
  const file = parsePipelineFile(text, 'sluice.yaml');
  const result = compilePipeline({ file, trigger, files: [], workflows });
  return result.ok ? [] : result.problems.map(({ code }) => code);
}

test('the page of problems has an entry for each code, in the order of the table, and for no other', (t) => {
  t.deepEqual(
    entries.map((entry) => entry.split('\n')[0]),
    Object.keys(problemCodes),
  );
});

for (const [code, { title, explanation }] of Object.entries(problemCodes)) {
  const entry = entries.find((candidate) => candidate.startsWith(`${code}\n`)) ?? '';

  test(`${code}: the page says what the table says, and how to mend it`, (t) => {
    t.true(entry.includes(`**${title}.** ${explanation}\n`));
    t.true(entry.replace(/^[^]*?\*\*.*\n/, '').trim().length > 10);
  });

  const [wrong, right, ...more] = examplesOf(entry);
  if (wrong === undefined) continue;
  test(`${code}: the example has this mistake alone, and the other one none`, (t) => {
    t.deepEqual(more, []);
    t.deepEqual([...new Set(codesIn(wrong))], [code]);
    t.deepEqual(codesIn(right ?? ''), []);
  });
}
