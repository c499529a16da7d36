import test from 'ava';
import fc from 'fast-check';
import { evaluateCondition, renderTemplate } from './expression.ts';
import type { Scope } from './expression.ts';

const scope: Scope = {
  branch: 'main',
  tag: '',
  event: 'push',
  pull_request: { number: 7, base: 'main', fork: false },
  matrix: { node: '22' },
  needs: { build: { outcome: 'succeeded', outputs: { version: '1.2.0' } } },
  run: { outcome: 'failed' },
};

const conditions: readonly (readonly [cel: string, holds: boolean])[] = [
  ["branch == 'main'", true],
  ["branch != 'main' || event == 'push'", true],
  ["branch.startsWith('ma') && !branch.endsWith('x')", true],
  ["branch in ['main', 'dev']", true],
  ["['dev', 'next'].exists(name, name == branch)", false],
  ['pull_request.number == 7 && !pull_request.fork', true],
  ['int(matrix.node) >= 22', true],
  ['has(needs.build.outputs.version)', true],
  ['has(needs.build.outputs.nothing)', false],
  ["needs['build'].outcome == 'succeeded'", true],
  ["needs.build.outputs.nothing == 'x' || true", true],
  ["false && needs.gone.outputs.x == 'x'", false],
  ["run.outcome != 'succeeded'", true],
  ["branch.split('').size() == 4", true],
];

for (const [cel, holds] of conditions) {
  test(`the condition ${cel} is ${String(holds)}`, (t) => {
    t.deepEqual(evaluateCondition({ cel }, scope), { ok: true, value: holds });
  });
}

const refused: readonly (readonly [cel: string, message: RegExp])[] = [
  ['needs.build.outputs.digest == "x"', /^`needs\.build\.outputs\.digest` is not set\.$/],
  ['needs.deploy.outcome == "failed"', /^`needs\.deploy` is not set\.$/],
  ['tag', /is text, but true or false is needed/],
  ['actor == "ada"', /`actor` is not known here/],
  ['nobody == "ada"', /`nobody` is not known here/],
  ['branch ==', /ends too early/],
  ['1 / 0 == 1', /[Dd]ivision by zero/],
  ['matrix.constructor == "x"', /`matrix\.constructor` is not set/],
  ['matrix.__proto__ == "x"', /`matrix\.__proto__` is not set/],
  ["needs['toString'].outcome == 'x'", /is not set/],
  ['branch.matches("(a+)+$")', /no function `matches`/],
  ['[branch].map(x, x + x) == []', /no function `map`/],
  ['cel.bind(x, branch, x) == ""', /no function `bind`/],
  ["['a'].all(x, ['b'].all(y, x == y))", /cannot stand inside another/],
  ["hashFiles('a') == 'b'", /cache keys only/],
  ['!'.repeat(5_000), /AstNodes|early/],
  ['('.repeat(5_000), /Depth|early/],
];

for (const [cel, message] of refused) {
  test(`the condition ${cel.slice(0, 50)} gives a message`, (t) => {
    const result = evaluateCondition({ cel }, scope);
    t.false(result.ok);
    if (!result.ok) t.regex(result.message, message);
  });
}

const texts: readonly (readonly [cel: string, text: string | undefined])[] = [
  ['branch', 'main'],
  ['pull_request.number', '7'],
  ['1 + 1', '2'],
  ['0.5', '0.5'],
  ['branch == "main"', 'true'],
  ["'v' + needs.build.outputs.version", 'v1.2.0'],
  ['branch.upperAscii()', 'MAIN'],
  ["['a', 'b'].join('-')", 'a-b'],
  ['[1, 2]', undefined],
  ['matrix', undefined],
  ['null', undefined],
];

for (const [cel, text] of texts) {
  test(`the value ${cel} is ${text === undefined ? 'no text' : `the text ${text}`}`, (t) => {
    const rendered = renderTemplate({ parts: ['<', { cel }, '>'] }, scope);
    t.deepEqual(rendered.ok ? rendered.value : undefined, text === undefined ? undefined : `<${text}>`);
  });
}

test('a plain text is not looked at again', (t) => {
  t.deepEqual(renderTemplate('${{ branch }}', scope), { ok: true, value: '${{ branch }}' });
});

test('nothing that is written makes evaluation throw', (t) => {
  const tokens = fc.constantFrom(
    ...[
      'branch',
      'needs',
      'matrix',
      '.',
      '[',
      ']',
      '(',
      ')',
      '{',
      '}',
      "'a'",
      '1',
      '9223372036854775807',
      '+',
      '-',
      '*',
      '/',
      '==',
      '&&',
      '||',
      '!',
      '?',
      ':',
      ',',
      'has',
      'size',
      'in',
      'filter',
      'x',
      '__proto__',
      'constructor',
      '"',
      '\\',
      'b"',
      'null',
      'substring',
      'int',
    ],
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(tokens, { maxLength: 12 }).map((list) => list.join(' ')),
      ),
      (cel) => {
        const condition = evaluateCondition({ cel }, scope);
        const text = renderTemplate({ parts: [{ cel }] }, scope);
        t.true(condition.ok || condition.message !== '');
        t.true(text.ok || text.message !== '');
      },
    ),
    { numRuns: 2_000 },
  );
});
