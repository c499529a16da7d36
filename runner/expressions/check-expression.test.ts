import test from 'ava';
import { checkExpression } from './check-expression.ts';
import type { Place } from './check-expression.ts';
import type { Fault } from './fault.ts';
import { parseExpression } from './parse-expression.ts';

const condition: Place = { roots: new Set(['branch', 'matrix', 'needs']), result: 'condition' };
const text: Place = { roots: condition.roots, result: 'text' };

function faultOf(cel: string, place: Place): Fault | undefined {
  const parsed = parseExpression(cel);
  return parsed.ok ? checkExpression(parsed.expression, place) : parsed.fault;
}

test('an expression tells every path that it refers to, and where', (t) => {
  const parsed = parseExpression(
    "has(needs.build.outputs.x) && needs['a-b'].outcome == matrix[branch] && ['x'].exists(y, y == branch)",
  );
  t.deepEqual(parsed.ok && parsed.expression.references, [
    { path: ['needs', 'build', 'outputs', 'x'], offset: 4, length: 21 },
    { path: ['needs', 'a-b', 'outcome'], offset: 30, length: 20 },
    { path: ['matrix'], offset: 54, length: 6 },
    { path: ['branch'], offset: 61, length: 6 },
    { path: ['branch'], offset: 93, length: 6 },
  ]);
});

const faults: readonly (readonly [cel: string, place: Place, offset: number, length: number, message: RegExp])[] = [
  ["brnach == 'x'", condition, 0, 6, /`brnach` is not known here/],
  ["branch == 'x' && evnet == 'y'", condition, 17, 5, /`evnet` is not known here/],
  ['branch', condition, 0, 6, /gives text, but true or false/],
  ['1 + 1', condition, 0, 5, /gives a number/],
  ['matrix', text, 0, 6, /gives a map/],
  ["branch = 'x'", condition, 7, 1, /Unexpected character: =/],
  ['branch > 1', condition, 0, 10, /mixes types: string > int/],
  ['branch.size(1) == 1', condition, 0, 14, /what it does not take/],
  ["needs.run-tests.outcome == 'x'", condition, 10, 5, /`tests` is not known here/],
  ['nope(branch)', text, 0, 4, /no function `nope`/],
  ['branch.nope()', text, 7, 4, /no function `nope`/],
  ["hashFiles('x')", text, 0, 9, /cache keys only/],
];

for (const [cel, place, offset, length, message] of faults) {
  test(`in ${cel} the fault is found at its place`, (t) => {
    const fault = faultOf(cel, place);
    t.regex(fault?.message ?? '', message);
    t.deepEqual({ offset: fault?.offset, length: fault?.length }, { offset, length });
  });
}

test('a name with a dash comes with the way to write it', (t) => {
  t.is(faultOf("needs.run-tests.outcome == 'x'", condition)?.hint, "A name with dashes is written `['run-tests']`.");
});

test('hashFiles can be used where the place has files', (t) => {
  t.is(faultOf("hashFiles('a', 'b')", { ...text, hashFiles: true }), undefined);
});
