import { readFile } from 'node:fs/promises';
import test from 'ava';
import { compileText, gates } from '../runner/language/compile-fixture.ts';
import { parseWorkflowFile } from '../runner/language/parse-file.ts';
import { gatePlans } from './gate-plans.ts';

const read = (name: string) => readFile(new URL(name, import.meta.url), 'utf8');

test('there are the five gates, each under its own name', (t) => {
  t.deepEqual([...gates.keys()].toSorted(), ['deploy-test', 'migrate', 'promote', 'run-tests', 'validate']);
  for (const [name, text] of gates) {
    const parsed = parseWorkflowFile(text, `workflows/${name}.yaml`);
    t.is(parsed.ok && parsed.value.value.workflow, name);
  }
});

test('the gates become the steps of gate-plans.json; after a change on purpose run: node workflows/gate-plans.ts', async (t) => {
  const golden: unknown = JSON.parse(await read('gate-plans.json'));
  t.deepEqual(JSON.parse(JSON.stringify(gatePlans())), golden);
});

test('validate asks nothing of an executor, the others for environments', (t) => {
  for (const [name, text] of gates) {
    const parsed = parseWorkflowFile(text, name);
    const requires = parsed.ok ? (parsed.value.value.requires ?? []) : undefined;
    t.deepEqual(requires, name === 'validate' ? [] : ['environments'], name);
  }
});

test('the page of the gates lists every input and output, and no other', async (t) => {
  const sections = (await read('README.md')).split(/^## /m).slice(1);
  for (const section of sections) {
    const name = section.slice(0, section.indexOf('\n'));
    const parsed = parseWorkflowFile(gates.get(name) ?? '', name);
    if (!parsed.ok) return t.fail(name);
    const { inputs = {}, outputs = {}, description = '' } = parsed.value.value;
    const listed = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, word]) => word);
    t.deepEqual(listed, [...Object.keys(inputs), ...Object.keys(outputs)], name);
    t.true(section.replaceAll('\n', ' ').includes(description.replace(/\.$/, '')), name);
    for (const [input, { default: value }] of Object.entries(inputs)) {
      const row = section.split('\n').find((line) => line.startsWith(`| \`${input}\` |`)) ?? '';
      t.true(row.includes(value ? `\`${value}\`` : '|'), `${name}.${input}`);
    }
  }
  t.is(sections.length, gates.size);
});

test('a gate that is used in a wrong way is told at the place of its use', (t) => {
  const compiled = compileText(
    'pipeline: demo\nbackend: { name: shop }\nsteps:\n  promote: { uses: promote, with: { strategy: yolo } }\n',
  );
  t.deepEqual(
    compiled.ok ? [] : compiled.problems.map(({ file, line, column, code }) => ({ file, line, column, code })),
    [{ file: 'sluice.yaml', line: 4, column: 47, code: 'input-value' }],
  );
});
