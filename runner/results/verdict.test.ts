import test from 'ava';
import type { Reason } from '../model/outcome.ts';
import type { TestSummary } from '../model/result.ts';
import { judgeAttempt } from './verdict.ts';
import type { AttemptFacts } from './verdict.ts';

const plain = { junit: { paths: [], allowEmpty: false }, artifacts: [], outputs: { paths: [], values: [] } };
const tested = { ...plain, junit: { paths: ['reports/*.xml'], allowEmpty: false } };
const lenient = { ...plain, junit: { paths: ['reports/*.xml'], allowEmpty: true } };
const full = {
  ...tested,
  artifacts: [{ path: 'dist/*', required: true }],
  outputs: { paths: [], values: ['VERSION'] },
};

const green: AttemptFacts = { outcome: 'succeeded', exitCode: 0, files: [], output: '' };
const exit1: AttemptFacts = { ...green, outcome: 'failed', reason: 'exit_code', message: 'exit code 1', exitCode: 1 };
const noArtefact: AttemptFacts = {
  ...green,
  outcome: 'failed',
  reason: 'artifact_missing',
  message: 'nothing matches dist/*',
};

const passed: TestSummary = {
  files: 1,
  tests: 120,
  failures: 0,
  errors: 0,
  skipped: 2,
  flaky: 1,
  mismatches: [],
  unreadable: [],
};
const failed: TestSummary = { ...passed, failures: 2, errors: 1, redCases: ['adds', 'subtracts'] };
const cut: TestSummary = { ...passed, unreadable: ['reports/a.xml: line 3, column 4: unexpected end.'] };
const claimed: TestSummary = { ...passed, redElsewhere: ['reports/a.xml: testsuite api says failures=2'] };
const empty: TestSummary = { ...passed, tests: 0, skipped: 0 };

test('green needs exit code 0, readable reports with a test that ran, artefacts and outputs', (t) => {
  t.deepEqual(judgeAttempt(plain, green, undefined), { verdict: { outcome: 'succeeded' }, outputs: {} });
  t.deepEqual(judgeAttempt(tested, green, passed).verdict, { outcome: 'succeeded' });
  const artefact = { kind: 'artifact', path: 'dist/a', sha256: '', bytes: 1, mode: 0o644 } as const;
  const facts: AttemptFacts = { ...green, files: [artefact], output: 'VERSION=1.2\n' };
  t.deepEqual(judgeAttempt(full, facts, passed), { verdict: { outcome: 'succeeded' }, outputs: { VERSION: '1.2' } });
});

interface Case {
  readonly title: string;
  readonly step: Parameters<typeof judgeAttempt>[0];
  readonly facts: AttemptFacts;
  readonly tests?: TestSummary;
  readonly reason: Reason;
  readonly message?: string;
}

const gate = { ...plain, operation: 'check-release' } as const;
const because = 'because<<end\nr7 does not start:\nno config\nend\n';

const red: readonly Case[] = [
  {
    title: 'an operation that says why',
    step: gate,
    facts: { ...exit1, output: because },
    reason: 'gate_refused',
    message: 'r7 does not start:\nno config',
  },
  {
    title: 'an operation that could not do its work',
    step: gate,
    facts: { ...exit1, exitCode: 3, output: 'because=the registry does not answer\n' },
    reason: 'gate_errored',
    message: 'the registry does not answer',
  },
  { title: 'an operation that says nothing', step: gate, facts: exit1, reason: 'exit_code', message: 'exit code 1' },
  {
    title: 'a script cannot speak for a gate',
    step: plain,
    facts: { ...exit1, output: because },
    reason: 'exit_code',
    message: 'exit code 1',
  },
  { title: 'exit code 1', step: plain, facts: exit1, reason: 'exit_code', message: 'exit code 1' },
  { title: 'exit code 1 with green tests', step: tested, facts: exit1, tests: passed, reason: 'exit_code' },
  { title: 'exit code 1 with unreadable reports', step: tested, facts: exit1, tests: cut, reason: 'exit_code' },
  {
    title: 'exit code 1 and no report at all',
    step: tested,
    facts: exit1,
    tests: { ...empty, files: 0 },
    reason: 'exit_code',
  },
  {
    title: 'exit code 1 with red tests',
    step: tested,
    facts: exit1,
    tests: failed,
    reason: 'tests_failed',
    message: '3 of 120 tests failed: adds, subtracts, …',
  },
  {
    title: 'exit code 0 with red tests',
    step: tested,
    facts: green,
    tests: { ...failed, failures: 1 },
    reason: 'tests_failed',
    message: '2 of 120 tests failed: adds, subtracts',
  },
  {
    title: 'red tests where empty reports are allowed',
    step: lenient,
    facts: green,
    tests: failed,
    reason: 'tests_failed',
  },
  { title: 'red tests and a missing artefact', step: full, facts: noArtefact, tests: failed, reason: 'tests_failed' },
  {
    title: 'red tests beside an unreadable report',
    step: tested,
    facts: green,
    tests: { ...cut, errors: 1 },
    reason: 'tests_failed',
  },
  {
    title: 'green elements in a suite that calls itself red',
    step: tested,
    facts: green,
    tests: claimed,
    reason: 'tests_failed',
    message: 'no test case is red, but reports/a.xml: testsuite api says failures=2',
  },
  {
    title: 'an unreadable report',
    step: tested,
    facts: green,
    tests: cut,
    reason: 'report_unreadable',
    message: 'reports/a.xml: line 3, column 4: unexpected end.',
  },
  {
    title: 'an unreadable report where empty ones are allowed',
    step: lenient,
    facts: green,
    tests: cut,
    reason: 'report_unreadable',
  },
  {
    title: 'no report',
    step: tested,
    facts: green,
    tests: { ...empty, files: 0 },
    reason: 'no_tests',
    message: 'no report that the command wrote matches reports/*.xml',
  },
  {
    title: 'reports without a case',
    step: tested,
    facts: green,
    tests: empty,
    reason: 'no_tests',
    message: '1 report without a test case',
  },
  {
    title: 'nothing but skipped tests',
    step: tested,
    facts: green,
    tests: { ...passed, skipped: 120 },
    reason: 'no_tests',
    message: 'all 120 tests were skipped',
  },
  {
    title: 'fewer tests than there must be',
    step: { ...tested, junit: { ...tested.junit, minTests: 121 } },
    facts: green,
    tests: passed,
    reason: 'no_tests',
    message: '118 of at least 121 tests ran',
  },
  {
    title: 'a missing artefact that the executor saw',
    step: full,
    facts: noArtefact,
    tests: passed,
    reason: 'artifact_missing',
  },
  { title: 'no artefact where one is required', step: full, facts: green, tests: passed, reason: 'artifact_missing' },
  {
    title: 'a declared output that is missing',
    step: { ...plain, outputs: full.outputs },
    facts: green,
    reason: 'output_missing',
  },
  {
    title: 'an output that is not declared',
    step: plain,
    facts: { ...green, output: 'A=1' },
    reason: 'output_invalid',
  },
  {
    title: 'an exit code that nobody saw',
    step: plain,
    facts: { outcome: 'succeeded', files: [], output: '' },
    reason: 'internal_error',
  },
  {
    title: 'a success with exit code 3',
    step: plain,
    facts: { ...green, exitCode: 3 },
    reason: 'exit_code',
    message: 'exit code 3',
  },
  { title: 'declared reports that nobody read', step: tested, facts: green, reason: 'internal_error' },
];

for (const { title, step, facts, tests, reason, message } of red) {
  test(`${title}: ${reason}`, (t) => {
    const { verdict, outputs } = judgeAttempt(step, facts, tests);
    t.is(verdict.reason, reason);
    t.not(verdict.outcome, 'succeeded');
    if (message !== undefined) t.is(verdict.message, message);
    t.deepEqual(outputs, {});
  });
}

test('no test at all is fine where that is allowed', (t) => {
  t.is(judgeAttempt(lenient, green, { ...empty, files: 0 }).verdict.outcome, 'succeeded');
  t.is(judgeAttempt(lenient, green, { ...passed, skipped: 120 }).verdict.outcome, 'succeeded');
});

test('an end from outside stands, whatever the reports say', (t) => {
  const ends: readonly AttemptFacts[] = [
    { ...green, outcome: 'failed', reason: 'timeout' },
    { ...green, outcome: 'failed', reason: 'oom' },
    { ...green, outcome: 'failed', reason: 'signalled', message: 'SIGSEGV' },
    { ...green, outcome: 'errored', reason: 'collect_failed' },
    { ...green, outcome: 'errored', reason: 'runner_lost' },
    { ...green, outcome: 'cancelled', reason: 'cancelled' },
    { ...green, outcome: 'cancelled' },
  ];
  for (const facts of ends) {
    for (const tests of [failed, passed, empty, undefined]) {
      const { outcome, reason, message } = judgeAttempt(tested, facts, tests).verdict;
      t.deepEqual([outcome, reason, message], [facts.outcome, facts.reason, facts.message]);
    }
  }
});

test('a verdict has nothing of the facts but outcome, reason and message', (t) => {
  t.deepEqual(Object.keys(judgeAttempt(plain, exit1, undefined).verdict), ['outcome', 'reason', 'message']);
});
