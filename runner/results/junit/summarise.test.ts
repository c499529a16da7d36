import test from 'ava';
import type { JUnitReport } from './junit-report.ts';
import { summarise } from './summarise.ts';

const report: JUnitReport = {
  file: 'a.xml',
  verdict: 'parse',
  totals: { tests: 10, failures: 2, errors: 1, skipped: 3, flaky: 1 },
  mismatch: ['tests:9!=10'],
  redElsewhere: [],
  redCases: ['x', 'y', 'z'],
};

test('reports are added up, and what is said about them names the file', (t) => {
  const zero = { tests: 0, failures: 0, errors: 0, skipped: 0, flaky: 0 };
  const cut: JUnitReport = {
    ...report,
    file: 'b.xml',
    verdict: 'reject',
    totals: zero,
    mismatch: [],
    redCases: [],
    fault: 'cut',
  };
  const red: JUnitReport = { ...report, file: 'c.xml', redElsewhere: ['testsuite s says failures=1'] };
  t.deepEqual(summarise([report, cut, red]), {
    files: 3,
    tests: 20,
    failures: 4,
    errors: 2,
    skipped: 6,
    flaky: 2,
    mismatches: ['a.xml: tests:9!=10', 'c.xml: tests:9!=10'],
    unreadable: ['b.xml: cut'],
    redElsewhere: ['c.xml: testsuite s says failures=1'],
    redCases: ['x', 'y', 'z', 'x', 'y'],
  });
});
