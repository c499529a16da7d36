import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { parseDocument } from 'yaml';
import { faultyCases } from './faulty/faulty-cases.ts';
import { parsePipelineFile } from './parse-file.ts';
import { problemCodes } from './problem-codes.ts';

const valid = `pipeline: tasks-api
on:
  push: { branches: [main, "release/*"] }
  pull_request:
env: { CI: "true" } # for all
steps:
  lint: { run: npm ci && npm run lint, needs: [] }
  unit:
    needs: []
    matrix: { node: ["22", "24"] }
    image: node:\${{ matrix.node }}
    services: { db: { image: postgres:16, port: 5432 } }
    run: |
      npm ci

      npm test
    junit: reports/**/*.xml
    artifacts:
      - coverage/**
      - { path: 'dist', required: true }
    retry: { max: 2, on: [errored] }
finally:
  report: { run: ./report.sh, timeout: 5m }
`;
const corpus = ['syntax', 'keys', 'values', 'habits'].flatMap((name) =>
  faultyCases(readFileSync(new URL(`faulty/${name}.txt`, import.meta.url), 'utf8')).map(({ text }) => text),
);

/** What counts as a file is YAML without an error, and its scalars are the texts that YAML has. */
function sameAsYaml(text: string, value: unknown): void {
  const document = parseDocument(text, { schema: 'failsafe' });
  const scalar = (item: unknown) => (['number', 'boolean'].includes(typeof item) ? `${item as number}` : (item ?? ''));
  const texts = (tree: unknown) => JSON.stringify(tree, (_, item: unknown) => scalar(item));
  const [read, written] = [texts(value), texts(document.toJS())];
  if (document.errors.length > 0 || read !== written.replaceAll(/"(~|null)"/g, '""'))
    throw new Error(`${read} is not ${written}`);
}

/** Either a value, or problems that stand in the file, in order, with known codes. */
function holds(text: string): void {
  const result = parsePipelineFile(text, 'sluice.yaml');
  if (result.ok) {
    sameAsYaml(text, result.value.value);
    return;
  }
  if (result.problems.length === 0) throw new Error('neither a value nor a problem');
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  let last = 0;
  for (const { code, line, column, length = 1, message, frame } of result.problems) {
    if (!(code in problemCodes)) throw new Error(`unknown code ${code}`);
    if (line < last) throw new Error(`line ${line} stands behind line ${last}`);
    if (line > lines.length || column < 1 || length < 1) throw new Error(`no such place: ${line}:${column}+${length}`);
    if (column > (lines[line - 1] ?? '').length + 1) throw new Error(`no such column: ${line}:${column}`);
    if (message === '' || !frame?.includes('^')) throw new Error(`nothing to read: ${message}`);
    last = line;
  }
}

const piece = fc.constantFrom(
  ...[
    ' ',
    '  ',
    '\n',
    '\n  ',
    '\t',
    ':',
    ': ',
    '- ',
    '-',
    '? ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '#',
    ' #',
    '|',
    '>',
    '|+\n',
    '"',
    "'",
  ],
  ...[
    '&a ',
    '*a',
    '!t ',
    '!!str ',
    '<<',
    '%Y',
    '---\n',
    '...\n',
    '\\',
    '\\x',
    '\r\n',
    '\r',
    '\0',
    '\ufeff',
    '@',
    '\`',
    '~',
    '😀',
    '\u0301',
  ],
  ...['pipeline', 'steps', 'on', 'run', 'needs', 'x', '1', 'true', 'null', '\${{ a }}', '__proto__', 'constructor'],
);

test('any text gives a value or problems with places in it', (t) => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), holds), { numRuns: 500 });
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }).map((parts) => parts.join('')),
        holds,
      ),
      { numRuns: 1_000 },
    ),
  );
});

type Mutation = (text: string) => string;

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc
    .tuple(fc.nat(), fc.nat(), fc.constantFrom('delete', 'double', 'indent', 'outdent', 'move'))
    .map(([from, to, kind]) => (text: string) => {
      const lines = text.split('\n');
      const index = from % lines.length;
      const line = lines[index] ?? '';
      const changed = {
        delete: [],
        double: [line, line],
        indent: [` ${line}`],
        outdent: [line.replace(/^ /, '')],
        move: [],
      }[kind];
      const rest = lines.toSpliced(index, 1, ...changed);
      return (kind === 'move' ? rest.toSpliced(to % lines.length, 0, line) : rest).join('\n');
    }),
  fc
    .tuple(fc.nat(), fc.nat({ max: 3 }), fc.oneof(piece, fc.constant('')))
    .map(([at, length, insert]) => (text: string) => {
      const start = at % (text.length + 1);
      return text.slice(0, start) + insert + text.slice(start + length);
    }),
);

test('a file with a few slips gives a value or problems with places in it', (t) => {
  const files = fc.constantFrom(valid, ...corpus);
  const slips = fc.array(mutation, { minLength: 1, maxLength: 4 });
  const mutated = fc
    .tuple(files, slips)
    .map(([text, changes]) => changes.reduce((changed, change) => change(changed), text));
  t.notThrows(() => fc.assert(fc.property(mutated, holds), { numRuns: 1_000 }));
  t.true(parsePipelineFile(valid, 'sluice.yaml').ok);
});

test('a key that is misspelt by one letter is found at its place, with what was meant', (t) => {
  const keys = ['needs', 'matrix', 'image', 'services', 'junit', 'artifacts', 'retry'];
  const slip = fc.tuple(fc.constantFrom(...keys), fc.nat(), fc.stringMatching(/^[a-z]$/));
  const check = fc.property(slip, ([key, at, letter]) => {
    const index = at % key.length;
    const wrong = key.slice(0, index) + letter + key.slice(index + 1);
    fc.pre(wrong !== key);
    const text = valid.replace(`    ${key}:`, `    ${wrong}:`);
    const result = parsePipelineFile(text, 'sluice.yaml');
    const line = text.split('\n').findIndex((row) => row.startsWith(`    ${wrong}:`)) + 1;
    const found = result.ok
      ? []
      : result.problems.map(({ code, line, column, length, hint }) => ({ code, line, column, length, hint }));
    const expected = { code: 'unknown-key', line, column: 5, length: wrong.length, hint: `Did you mean \`${key}\`?` };
    if (JSON.stringify(found) !== JSON.stringify([expected])) throw new Error(JSON.stringify({ found, expected }));
  });
  t.notThrows(() => fc.assert(check, { numRuns: 300 }));
});

test('quotes never change what a value is', (t) => {
  const text = fc.stringMatching(/^[A-Za-z0-9][\w./+-]{0,20}$/);
  const check = fc.property(text, (value) => {
    const values = [value, `"${value}"`, `'${value}'`].map((written) => {
      const result = parsePipelineFile(
        `pipeline: demo\nenv: { V: ${written} }\nsteps: { a: { run: x } }`,
        'sluice.yaml',
      );
      return result.ok ? result.value.value.env?.['V'] : undefined;
    });
    if (values.some((read) => read !== value)) throw new Error(JSON.stringify(values));
  });
  t.notThrows(() => fc.assert(check));
});
