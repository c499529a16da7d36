import test from 'ava';
import { codeFrame } from './code-frame.ts';

const frame = (text: string, line: number, column: number, length = 1) =>
  codeFrame(text.split('\n'), { file: 'sluice.yaml', line, column, length });

test('a frame shows the line, its neighbours and carets under the place', (t) => {
  t.is(
    frame('steps:\n  lint:\n    runn: x\n    needs: []', 3, 5, 4),
    ['2 |   lint:', '3 |     runn: x', '  |     ^^^^', '4 |     needs: []'].join('\n'),
  );
});

test('the first and the last line have one neighbour, and numbers are aligned', (t) => {
  t.is(frame('a: 1\nb: 2', 1, 1), '1 | a: 1\n  | ^\n2 | b: 2');
  t.is(frame('\n'.repeat(8) + 'a\nb', 9, 1), ' 8 |\n 9 | a\n   | ^\n10 | b');
});

test('tabs take one column, control characters and marks that turn text around are made visible', (t) => {
  t.is(frame('\ta: \x1b[31m\u202e!', 1, 2), '1 |  a: ␛[31m\ufffd!\n  |  ^');
});

test('carets stand under wide characters and behind those without width', (t) => {
  t.is(frame('日本: x', 1, 1, 2), '1 | 日本: x\n  | ^^^^');
  t.is(frame('e\u0301: x', 1, 5), '1 | e\u0301: x\n  |    ^');
  t.is(frame('😀: x', 1, 5), '1 | 😀: x\n  |     ^');
});

test('a long line is cut around the place', (t) => {
  const shown = frame(`${'a'.repeat(500)}HERE${'b'.repeat(500)}`, 1, 501, 4).split('\n');
  t.is(shown[0], `1 | …${'a'.repeat(50)}HERE${'b'.repeat(46)}…`);
  t.is(shown[1], `  | ${' '.repeat(51)}^^^^`);
});

test('a place behind the end of its line still has a caret', (t) => {
  t.is(frame('a:', 1, 3, 9), '1 | a:\n  |   ^');
});
