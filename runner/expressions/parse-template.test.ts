import test from 'ava';
import fc from 'fast-check';
import { parseTemplate } from './parse-template.ts';

const templates: readonly (readonly [text: string, parts: readonly unknown[]])[] = [
  ['', []],
  ['plain $HOME ${HOME} }}', ['plain $HOME ${HOME} }}']],
  ['a ${{ branch }} b', ['a ', { cel: 'branch', offset: 6 }, ' b']],
  [
    '${{a}}${{ b}}',
    [
      { cel: 'a', offset: 3 },
      { cel: 'b', offset: 10 },
    ],
  ],
  ["${{ 'a }} b' }}", [{ cel: "'a }} b'", offset: 4 }]],
  ['${{ "\\"}}" }}', [{ cel: '"\\"}}"', offset: 4 }]],
  ["${{ r'\\' }}", [{ cel: "r'\\'", offset: 4 }]],
  ["${{ {'a': {'b': 1}}.a.b }}!", [{ cel: "{'a': {'b': 1}}.a.b", offset: 4 }, '!']],
  ['$${{ branch }}', ['${{ branch }}']],
  ['$$${{ x', ['$${{ x']],
  ['${{ }}', [{ cel: '', offset: 4 }]],
];

for (const [text, parts] of templates) {
  test(`"${text}" has ${parts.length} parts`, (t) => {
    t.deepEqual(parseTemplate(text), { ok: true, parts } as never);
  });
}

for (const [text, offset] of [
  ['a ${{ branch', 2],
  ["${{ 'a }}", 0],
  ['${{ {a }}', 0],
  ['${{ a }} ${{', 9],
] as const) {
  test(`"${text}" is not closed`, (t) => {
    const parsed = parseTemplate(text);
    t.is(parsed.ok ? undefined : parsed.fault.offset, offset);
  });
}

test('text without an opening comes back whole', (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes('${{'));
      t.deepEqual(parseTemplate(text), { ok: true, parts: text === '' ? [] : [text] });
    }),
  );
});

test('every expression is found at its offset, whatever stands around it', (t) => {
  const around = fc.string().filter((text) => !/[${}]/.test(text));
  fc.assert(
    fc.property(around, around, (before, behind) => {
      const parsed = parseTemplate(`${before}\${{ matrix.node }}${behind}`);
      const expression = parsed.ok ? parsed.parts.find((part) => typeof part !== 'string') : undefined;
      t.deepEqual(expression, { cel: 'matrix.node', offset: before.length + 4 });
    }),
  );
});
