import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { describeJUnitFile } from './describe-file.ts';

const corpus = new URL('../../../../shared/corpus/junit/', import.meta.url);

interface Expected {
  readonly file: string;
  readonly verdict: string;
  readonly counted?: Readonly<Record<'tests' | 'failures' | 'errors' | 'skipped', number>>;
  readonly mismatch?: readonly string[];
}

// Other people's reports, which stand beside the project where they may be used and are no part of it.
const withCorpus = existsSync(corpus) ? test : test.skip;

withCorpus(
  'reports of many producers get the verdict, counts and mismatches that were worked out by hand',
  async (t) => {
    const expected = JSON.parse(await readFile(new URL('expected.json', corpus), 'utf8')) as readonly Expected[];
    t.true(expected.length >= 40);
    for (const { file, verdict, counted, mismatch } of expected) {
      const described = await describeJUnitFile(fileURLToPath(new URL(file, corpus)));
      const { tests, failures, errors, skipped } = counted ?? { tests: 0, failures: 0, errors: 0, skipped: 0 };
      t.like(described, { verdict, tests, failures, errors, skipped }, file);
      t.deepEqual(described.mismatch, mismatch ?? [], file);
    }
  },
);
