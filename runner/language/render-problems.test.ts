import { stripVTControlCharacters } from 'node:util';
import test from 'ava';
import { parsePipelineFile } from './parse-file.ts';
import { renderProblems } from './render-problems.ts';

const faulty = parsePipelineFile(
  'pipeline: demo\nsteps:\n  lint:\n    runn: npm run lint\n    needs: unit\n',
  'sluice.yaml',
);
const problems = faulty.ok ? [] : faulty.problems;

test('problems are shown with place, message, code, frame and hint, and counted', (t) => {
  t.is(
    renderProblems(problems, { color: false }),
    `sluice.yaml:4:5 \`steps.lint\` has no key \`runn\`. [unknown-key]
  3 |   lint:
  4 |     runn: npm run lint
    |     ^^^^
  5 |     needs: unit
  Did you mean \`run\`?

sluice.yaml:5:12 \`steps.lint.needs\` must be a list, not \`unit\`. [wrong-type]
  4 |     runn: npm run lint
  5 |     needs: unit
    |            ^^^^
  6 |
  Write \`needs: [unit]\`.

2 problems in sluice.yaml`,
  );
});

test('colours are all that colour adds', (t) => {
  const colored = renderProblems(problems, { color: true });
  t.not(colored, stripVTControlCharacters(colored));
  t.is(stripVTControlCharacters(colored), renderProblems(problems, { color: false }));
});

test('one problem is one problem, and a problem without frame or hint is a line', (t) => {
  const bare = { code: 'file-missing', message: 'There is no pipeline file.', file: 'sluice.yaml', line: 1, column: 1 };
  t.is(
    renderProblems([bare], { color: false }),
    'sluice.yaml:1:1 There is no pipeline file. [file-missing]\n\n1 problem in sluice.yaml',
  );
});
