import test from 'ava';
import { parseExpression } from './parse-expression.ts';
import type { ParsedExpression } from './parse-expression.ts';
import { reduceTemplate } from './reduce-template.ts';

const known = {
  scope: { branch: 'main', inputs: { a: '1' } },
  isKnown: ([root, name]: readonly string[]) => root === 'branch' || (root === 'inputs' && name === 'a'),
};

function expression(cel: string): ParsedExpression {
  const parsed = parseExpression(cel);
  if (!parsed.ok) throw new Error(parsed.fault.message);
  return parsed.expression;
}

test('what is known becomes text, the rest stays, and neighbouring texts join', (t) => {
  const parts = [
    '<',
    expression('branch'),
    '-',
    expression('inputs.a'),
    '|',
    expression('inputs.b'),
    '>',
    expression('1 + 1'),
  ];
  t.deepEqual(reduceTemplate(parts, known), {
    ok: true,
    value: { parts: ['<main-1|', { cel: 'inputs.b' }, '>2'] },
  });
});

test('a template with nothing left is a plain text', (t) => {
  t.deepEqual(reduceTemplate([expression('branch'), '!'], known), { ok: true, value: 'main!' });
  t.deepEqual(reduceTemplate([], known), { ok: true, value: '' });
});

test('an expression of known and unknown values waits for all of them', (t) => {
  t.deepEqual(reduceTemplate([expression('branch + inputs.b')], known), {
    ok: true,
    value: { parts: [{ cel: 'branch + inputs.b' }] },
  });
});

test('an expression that is decidable and has no value tells why', (t) => {
  const reduced = reduceTemplate(['x', expression('1 / 0')], known);
  t.regex(reduced.ok ? '' : `${reduced.expression.cel}: ${reduced.message}`, /^1 \/ 0: Division by zero/);
});
