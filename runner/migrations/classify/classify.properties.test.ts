import test from 'ava';
import fc from 'fast-check';
import { readCases } from './case-fixture.ts';
import { classify } from './classify.ts';

const cases = readCases().map(({ sql }) => sql);

/** Any text, and texts that are nearly SQL: real cases cut, joined and with something odd inside. */
const scripts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc
    .tuple(
      fc.constantFrom(...cases),
      fc.constantFrom(...cases),
      fc.nat(400),
      fc.nat(400),
      fc.string({ unit: 'grapheme', maxLength: 9 }),
    )
    .map(([one, other, from, to, odd]) => one.slice(0, from) + odd + other.slice(to)),
);

test('whatever a script holds, it has a classification, and every place is one of the text', async (t) => {
  await fc.assert(
    fc.asyncProperty(scripts, async (sql) => {
      const { verdict, problems, statements } = await classify(sql, { file: 'm.sql', today: '2026-11-28' });
      const lines = sql.split('\n');
      for (const { line, column, length = 1 } of [...problems, ...statements]) {
        const text = lines[line - 1];
        if (text === undefined || column < 1 || length < 1) throw new Error(`${line}:${column} is no place`);
        if (column > text.length + 1) throw new Error(`${line}:${column} is behind the line`);
      }
      return (verdict === 'refused') === problems.length > 0;
    }),
    { numRuns: 2_000 },
  );
  t.pass();
});
