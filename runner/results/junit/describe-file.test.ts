import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { describeJUnitFile } from './describe-file.ts';

test('a file is described by verdict, totals and mismatches', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-junit-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'a.xml');
  await writeFile(file, '<testsuite tests="2" failures="0"><testcase><failure/></testcase></testsuite>');
  t.deepEqual(await describeJUnitFile(file), {
    file,
    verdict: 'parse',
    tests: 1,
    failures: 1,
    errors: 0,
    skipped: 0,
    mismatch: ['failures:0!=1', 'tests:2!=1'],
  });
  await writeFile(file, '<testsuite>');
  t.like(await describeJUnitFile(file), { verdict: 'reject', fault: 'line 1, column 11: unclosed tag: testsuite' });
});

test('what is no file is an error, not a verdict', async (t) => {
  await t.throwsAsync(describeJUnitFile('/nowhere/a.xml'), {
    code: 'ERR_NOT_FOUND',
    message: 'there is no file /nowhere/a.xml',
  });
  await t.throwsAsync(describeJUnitFile(tmpdir()), { code: 'ERR_USAGE', message: `${tmpdir()} is a folder` });
});
