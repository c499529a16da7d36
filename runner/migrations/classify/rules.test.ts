import { readFileSync } from 'node:fs';
import test from 'ava';
import { readCases } from './case-fixture.ts';
import { rules } from './rules.ts';

test('docs/migrations.md has a row for each rule, in their order, with class and concern', (t) => {
  const rows = readFileSync('docs/migrations.md', 'utf8').matchAll(
    /^\| `([\w-]+)` \| (\w+) \| (lock|compatibility|certainty) \|/gm,
  );
  t.deepEqual(
    [...rows].map(([, id, name, concern]) => [id, name, concern]),
    Object.entries(rules).map(([id, rule]) => [id, rule.class, rule.concern]),
  );
});

test('every rule but those that need a catalog has a case in which it finds something', (t) => {
  const found = new Set(readCases().flatMap((each) => each.rules));
  const without = Object.keys(rules).filter((id) => !found.has(id));
  t.deepEqual(without, ['drop-unique', 'unknown-statement', 'waiver-unknown-rule']);
});
