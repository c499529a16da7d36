import { readFileSync } from 'node:fs';
import test from 'ava';
import { parsePipelineFile, parseWorkflowFile } from '../parse-file.ts';
import { faultyCases } from './faulty-cases.ts';

const parsers = {
  'syntax.txt': parsePipelineFile,
  'keys.txt': parsePipelineFile,
  'values.txt': parsePipelineFile,
  'habits.txt': parsePipelineFile,
  'workflows.txt': parseWorkflowFile,
};

for (const [name, parse] of Object.entries(parsers)) {
  for (const { title, text, expected } of faultyCases(readFileSync(new URL(name, import.meta.url), 'utf8'))) {
    test(`${name}: ${title}`, (t) => {
      const parsed = parse(text, 'sluice.yaml');
      const problems = parsed.ok ? [] : parsed.problems;
      t.true(expected.length > 0);
      t.deepEqual(
        problems.map(({ code, line, column, length, hint }) => ({ code, line, column, length, hint })),
        expected.map((problem, index) => ({ ...problem, hint: problem.hint ?? problems[index]?.hint })),
      );
    });
  }
}
