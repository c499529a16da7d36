import { readFile } from 'node:fs/promises';
import test from 'ava';
import type { Problem } from '../../model/problem.ts';
import { compileText } from '../compile-fixture.ts';
import { faultyCases } from './faulty-cases.ts';

const cases = (await readFile(new URL('plans.txt', import.meta.url), 'utf8')).split(/^=== /m).slice(1);

for (const text of cases) {
  // A line `--- path` begins another file of the same case: a workflow of the repository.
  const [title = '', ...lines] = text.split('\n');
  const files = faultyCases(`=== sluice.yaml\n${lines.join('\n').replaceAll(/^--- /gm, '=== ')}`);
  test(`plans.txt: ${title}`, (t) => {
    const [pipeline, ...workflows] = files;
    const compiled = compileText(pipeline?.text ?? '', {
      workflows: Object.fromEntries(workflows.map((file) => [file.title, file.text])),
    });
    const problems = compiled.ok ? [] : compiled.problems;
    const expected = files.flatMap((file) => file.expected.map((problem) => placed({ ...problem, file: file.title })));
    t.true(expected.length > 0);
    t.deepEqual(problems.map(placed).toSorted(), expected.toSorted());
    for (const { message, hint, frame } of problems) {
      t.regex(message, /\.$/);
      t.truthy(hint, message);
      t.truthy(frame);
    }
  });
}

function placed(problem: Pick<Problem, 'file' | 'line' | 'column' | 'length' | 'code'>): string {
  return `${problem.file}:${problem.line}:${problem.column}+${problem.length ?? 0} ${problem.code}`;
}
