import test from 'ava';
import fc from 'fast-check';
import { expandMatrix, maxCells } from './expand-matrix.ts';
import type { Matrix } from './pipeline-file.generated.ts';

function suffixes(matrix: Matrix): readonly string[] {
  const expanded = expandMatrix(matrix);
  return expanded.ok ? expanded.cells.map(({ suffix }) => suffix) : expanded.faults.map(({ code }) => code);
}

test('cells come in the order of the axes, less the excluded, then the included', (t) => {
  const matrix = {
    os: ['linux', 'mac'],
    arch: ['amd64', 'arm64'],
    exclude: [{ os: 'mac', arch: 'amd64' }],
    include: [{ os: 'linux', arch: 'riscv', beta: 'true' }],
  };
  t.deepEqual(suffixes(matrix), ['linux-amd64', 'linux-arm64', 'mac-arm64', 'linux-riscv-true']);
});

test('an entry of exclude takes out every combination that it fits', (t) => {
  t.deepEqual(suffixes({ a: ['1', '2'], b: ['x', 'y'], exclude: [{ a: '1' }] }), ['2-x', '2-y']);
});

test('combinations can be listed without any axis', (t) => {
  t.deepEqual(suffixes({ include: [{ node: '22' }, { node: '24', lint: 'yes' }] }), ['22', '24-yes']);
});

test('suffixes are fit for an id and differ even when the values read alike', (t) => {
  t.deepEqual(suffixes({ a: ['x/y', 'x y', '--', 'é'] }), ['x-y', 'x-y-2', 'empty', 'empty-2']);
  const long = suffixes({ a: ['a'.repeat(200), `${'a'.repeat(200)}b`] });
  t.deepEqual(long, ['a'.repeat(60), `${'a'.repeat(60)}-2`]);
});

test('a matrix that is too large is refused before it is expanded', (t) => {
  const axis = Array.from({ length: 256 }, (_, index) => String(index));
  const axes = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`a${index}`, axis]));
  t.deepEqual(suffixes(axes), ['matrix-too-large']);
  t.is(suffixes({ a: axis }).length, maxCells);
  t.deepEqual(suffixes({ a: axis, include: [{ a: 'more' }] }), ['matrix-too-large']);
});

test('there are as many cells as combinations, all different', (t) => {
  const axis = fc.uniqueArray(fc.string({ maxLength: 5 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(axis, { minLength: 1, maxLength: 4 }), (axes) => {
      const expanded = expandMatrix(Object.fromEntries(axes.map((values, index) => [`a${index}`, values])));
      if (!expanded.ok) return t.fail();
      const { cells } = expanded;
      t.is(
        cells.length,
        axes.reduce((count, values) => count * values.length, 1),
      );
      t.is(new Set(cells.map(({ suffix }) => suffix)).size, cells.length);
      t.is(new Set(cells.map(({ values }) => JSON.stringify(values))).size, cells.length);
    }),
  );
});
