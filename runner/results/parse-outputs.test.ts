import test from 'ava';
import { parseOutputs } from './parse-outputs.ts';

test('lines of NAME=value are outputs; the later of two counts, and a value may be anything on its line', (t) => {
  const text = 'A=1\n\nB= x = y << z \r\nA=2\nC=\n';
  t.deepEqual(parseOutputs(text, ['A', 'B', 'C']), { values: { A: '2', B: ' x = y << z ', C: '' } });
});

test('a value of several lines stands between NAME<<END and END', (t) => {
  const text = 'A<<EOF\none\n\nB=no output\nEOF\nB<<x y\nx y\n';
  t.deepEqual(parseOutputs(text, ['A', 'B']), { values: { A: 'one\n\nB=no output', B: '' } });
});

test('a name that JavaScript knows is a name like others', (t) => {
  const { values } = parseOutputs('__proto__=x', ['__proto__']);
  t.deepEqual(Object.entries(values), [['__proto__', 'x']]);
});

const invalid: Readonly<Record<string, string>> = {
  's3cr3t-token': 'line 1 of $SLUICE_OUTPUT is not NAME=value',
  'A=1\nB C=2': 'line 2 of $SLUICE_OUTPUT is not NAME=value',
  'A=1\nOTHER=2': 'line 2 of $SLUICE_OUTPUT: OTHER is not declared',
  'A<<EOF\none': 'line 1 of $SLUICE_OUTPUT: A<< has no end',
  'A<<\n\n': 'line 1 of $SLUICE_OUTPUT: A<< has no end',
  'A=\0': '$SLUICE_OUTPUT holds a NUL byte',
};

for (const [text, message] of Object.entries(invalid)) {
  test(`output_invalid: ${message}, for ${JSON.stringify(text)}`, (t) => {
    t.deepEqual(parseOutputs(text, ['A']), {
      values: {},
      problem: { outcome: 'failed', reason: 'output_invalid', message },
    });
  });
}

test('64 KiB are read, more are invalid', (t) => {
  t.is(parseOutputs(`A=${'x'.repeat(65_534)}`, ['A']).problem, undefined);
  t.is(parseOutputs(`A=${'x'.repeat(65_535)}`, ['A']).problem?.reason, 'output_invalid');
  t.is(parseOutputs(`A=${'é'.repeat(33_000)}`, ['A']).problem?.reason, 'output_invalid');
});

test('every declared name needs a value', (t) => {
  t.deepEqual(parseOutputs('B=1', ['A', 'B', 'C']).problem, {
    outcome: 'failed',
    reason: 'output_missing',
    message: 'A, C not in $SLUICE_OUTPUT',
  });
});
