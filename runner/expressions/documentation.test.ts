import { readFileSync } from 'node:fs';
import test from 'ava';
import { functionNames } from './cel-environment.ts';
import { evaluateText } from './expression.ts';
import type { Scope } from './expression.ts';
import { parseExpression } from './parse-expression.ts';

const page = readFileSync(new URL('../../docs/expressions.md', import.meta.url), 'utf8');

const scope: Scope = {
  branch: 'release/1.2',
  tag: '',
  ref: 'refs/heads/release/1.2',
  event: 'push',
  pull_request: {},
  matrix: { node: '24' },
  needs: { build: { outcome: 'succeeded', outputs: { version: '1.2.0' } } },
};

const examples = [...section('Examples').matchAll(/^\| `(.+?)` \| `(.*)` \|$/gm)];

function section(title: string): string {
  return page.split(/^## /m).find((part) => part.startsWith(title)) ?? '';
}

test('the page has examples', (t) => {
  t.true(examples.length > 15);
});

for (const [, written = '', expected] of examples) {
  const cel = written.replaceAll('\\|', '|');
  test(`docs/expressions.md says what ${cel} gives`, (t) => {
    const parsed = parseExpression(cel);
    t.deepEqual(parsed.ok && evaluateText(parsed.expression, scope), { ok: true, value: expected });
  });
}

test('docs/expressions.md lists all functions and no other', (t) => {
  const rows = section('Functions').matchAll(/^\| (?:convert|ask|texts|lists|files) \| (.+) \|$/gm);
  const listed = [...rows].flatMap(([, names = '']) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  t.deepEqual(listed.toSorted(), [...functionNames].toSorted());
});
