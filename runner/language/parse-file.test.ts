import test from 'ava';
import { parsePipelineFile, parseWorkflowFile } from './parse-file.ts';
import type { Path, Positioned, Span } from './positioned.ts';
import type { PipelineFile } from './pipeline-file.generated.ts';

function parsed(text: string): Positioned<PipelineFile> {
  const result = parsePipelineFile(text, 'sluice.yaml');
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.value;
}

function codes(text: string): readonly string[] {
  const result = parsePipelineFile(text, 'sluice.yaml');
  return result.ok ? [] : result.problems.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

const step = 'steps: { lint: { run: npm run lint } }\n';

test('scalars stay the text that was written, with quotes and without', (t) => {
  const texts = ['1.20', 'no', 'on', 'Yes', '0x1F', '~', 'null', '12345678901234567890', '2026-11-21', '.inf', '1e3'];
  const plain = texts.map((text, index) => `  V${index}: ${text}\n`).join('');
  const quoted = texts.map((text, index) => `  Q${index}: "${text}"\n`).join('');
  const { env } = parsed(`pipeline: demo\n${step}env:\n${plain}${quoted}`).value;
  t.deepEqual(Object.values(env ?? {}), [...texts, ...texts]);
});

test('where the schema asks for it, digits are a number, true a boolean and nothing is null, quotes or not', (t) => {
  const service = '{ image: redis, port: "6379" }';
  const { value } = parsed(
    `pipeline: demo\non: { push: , pull_request: ~ }\nsteps:\n  unit:\n    run: npm test\n    services: { cache: ${service} }\n    retry: { max: 2 }\n    junit: { paths: [a.xml], allow-empty: "true" }\n`,
  );
  t.deepEqual(value.on, { push: null, pull_request: null });
  t.like(value.steps['unit'], {
    services: { cache: { port: 6379 } },
    retry: { max: 2 },
    junit: { 'allow-empty': true },
  });
});

test('`on` is a key, and so are names that every object has', (t) => {
  const { value } = parsed(`pipeline: demo\non: { push: {} }\nenv: { constructor: a, toString: b }\n${step}`);
  t.deepEqual(value.on, { push: {} });
  t.deepEqual(Object.entries(value.env ?? {}), [
    ['constructor', 'a'],
    ['toString', 'b'],
  ]);
  t.deepEqual(codes(`pipeline: demo\n${step}constructor: x\n`), ['3:1 unknown-key']);
});

test('a byte order mark, Windows line ends, comments and a start mark change nothing', (t) => {
  const text = `---\n# a comment\npipeline: demo\nsteps:\n  lint:\n    run: |\n      npm ci\n      npm test\n`;
  const { value, locate } = parsed(`\ufeff${text.replaceAll('\n', '\r\n')}`);
  t.deepEqual(value, parsed(text).value);
  t.is(value.steps['lint']?.run, 'npm ci\nnpm test\n');
  t.deepEqual(locate(['steps', 'lint'], 'key'), { file: 'sluice.yaml', line: 5, column: 3, length: 4 });
});

test('tabs are fine wherever they do not indent', (t) => {
  t.is(parsed(`pipeline:\tdemo\t# name\n\t\n${step}`).value.pipeline, 'demo');
});

const unreadable: readonly (readonly [title: string, text: string, expected: string])[] = [
  ['an empty file', '', '1:1 empty-file'],
  ['nothing but comments', '\n  # later\n', '1:1 empty-file'],
  ['NUL', `pipeline: demo\n${step}# \0`, '3:3 bad-character'],
  ['an escape sequence for terminals', `pipeline: "\x1b[31mred"\n`, '1:12 bad-character'],
  ['a lone carriage return', 'pipeline: demo\rsteps: {}', '1:15 bad-character'],
  ['bytes that are not UTF-8', Buffer.from([0x61, 0x3a, 0x20, 0xff, 0x0a]).toString('utf8'), '1:4 bad-character'],
  ['UTF-16', Buffer.from('\ufeffpipeline: demo\n', 'utf16le').toString('utf8'), '1:1 bad-character'],
  ['a mark that turns the text around', 'pipeline: demo # \u202e x', '1:18 bad-character'],
  ['a no-break space as indentation', 'steps:\n \u00a0lint: {}\n', '2:2 bad-character'],
  ['a whole no-break space as indentation', 'steps:\n\u00a0lint: {}\n', '2:1 bad-character'],
  ['512 KiB and a byte', 'a'.repeat(512 * 1024 + 1), '1:1 file-too-large'],
  ['512 KiB in characters of two bytes', 'é'.repeat(256 * 1024 + 1), '1:1 file-too-large'],
  ['more words than a file may have', `[${'[],'.repeat(70_000)}]`, '1:1 file-too-large'],
];

for (const [title, text, expected] of unreadable) {
  test(`not read at all: ${title}`, (t) => {
    t.deepEqual(codes(text), [expected]);
  });
}

test('characters that only look unusual are text', (t) => {
  const description = 'Prüft “alles” 日本語 👩‍🚀 no-break\u00a0space\u0085';
  t.is(parsed(`pipeline: demo\ndescription: "${description}"\n${step}`).value.description, description);
});

test('64 levels are read, the 65th is a problem', (t) => {
  const nested = (levels: number) => `a: ${'['.repeat(levels)}${']'.repeat(levels)}`;
  t.false(codes(nested(63)).some((code) => code.endsWith('too-deep')));
  t.deepEqual(codes(nested(65)), ['1:67 too-deep']);
});

test('problems come in the order of the file, a hundred at most', (t) => {
  const result = parsePipelineFile(
    Array.from({ length: 300 }, (_, index) => `key-${index}: 1\n`).join(''),
    'sluice.yaml',
  );
  const problems = result.ok ? [] : result.problems;
  t.is(problems.length, 101);
  t.is(problems.at(-1)?.code, 'too-many-problems');
  const lines = problems.map(({ line }) => line);
  t.deepEqual(
    lines,
    lines.toSorted((a, b) => a - b),
  );
});

test('a workflow file has inputs and outputs', (t) => {
  const text =
    'workflow: load\ninputs: { users: { type: number, default: 10, required: false } }\noutputs: { p95: { value: "${{ steps.k6.outputs.P95 }}" } }\nsteps: { k6: { run: k6 run load.js } }\n';
  const result = parseWorkflowFile(text, 'ci/load.yaml');
  t.true(result.ok && result.value.value.inputs?.['users']?.default === '10');
  t.true(result.ok && result.value.value.inputs?.['users']?.required === false);
});

const located = `pipeline: demo
env: { A: "x" }
steps:
  unit:
    needs: []
    if: branch == 'main'
    run: |
      npm ci

        echo \${{ one }}
    secrets:
      - TOKEN
      - "OTHER"
    image: >-
      node:
      \${{ two }}
    workdir: 'it''s \${{ three }}'
    description: "tab\\t \${{ four }} \\"x\\" \${{ five }}"
`;
const places: readonly (readonly [Path, 'key' | 'value', string])[] = [
  [[], 'value', '1:1+14'],
  [['pipeline'], 'key', '1:1+8'],
  [['pipeline'], 'value', '1:11+4'],
  [['env', 'A'], 'value', '2:11+3'],
  [['steps', 'unit'], 'key', '4:3+4'],
  [['steps', 'unit'], 'value', '5:5+9'],
  [['steps', 'unit', 'needs'], 'value', '5:12+2'],
  [['steps', 'unit', 'run'], 'value', '7:10+1'],
  [['steps', 'unit', 'secrets', 1], 'value', '13:9+7'],
  [['steps', 'unit', 'secrets', 1], 'key', '13:9+7'],
  [['steps', 'unit', 'junit', 'paths'], 'key', '4:3+4'],
  [['steps', 'nobody'], 'key', '3:1+5'],
];

for (const [path, part, expected] of places) {
  test(`the ${part} of ${path.join('.') || 'the file'} is found`, (t) => {
    const { line, column, length } = parsed(located).locate(path, part);
    t.is(`${line}:${column}+${length}`, expected);
  });
}

const parts: readonly (readonly [key: 'if' | 'run' | 'image' | 'workdir', find: string, expected: string])[] = [
  ['if', 'main', '6:20+4'],
  ['run', 'ci', '8:11+2'],
  ['run', 'one', '10:18+3'],
  ['image', 'two', '16:11+3'],
  ['workdir', 'three', '17:25+5'],
];

for (const [key, find, expected] of parts) {
  test(`a part of a value is found: ${find} in ${key}`, (t) => {
    const { value, locate } = parsed(located);
    const text = value.steps['unit']?.[key] ?? '';
    const within: Span = { offset: text.indexOf(find), length: find.length };
    const { line, column, length } = locate(['steps', 'unit', key], 'value', within);
    t.is(`${line}:${column}+${length}`, expected);
  });
}

test('a part behind an escape that cannot be followed is the whole value', (t) => {
  const { locate } = parsed(`pipeline: demo\ndescription: "a \\t b"\n${step}`);
  t.like(locate(['description'], 'value', { offset: 4, length: 1 }), { line: 2, column: 14, length: 8 });
});

test('a part behind a character of two code units is found', (t) => {
  const { locate } = parsed(`pipeline: demo\ndescription: 😀 here\n${step}`);
  t.like(locate(['description'], 'value', { offset: 3, length: 4 }), { line: 2, column: 17, length: 4 });
});
