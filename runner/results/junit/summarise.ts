import type { TestSummary, TestTotals } from '../../model/result.ts';
import { keptNames } from './junit-report.ts';
import type { JUnitReport } from './junit-report.ts';

/** What all reports of an attempt say together. */
export function summarise(reports: readonly JUnitReport[]): TestSummary {
  const named = (pick: (report: JUnitReport) => readonly string[]): readonly string[] =>
    reports.flatMap((report) => pick(report).map((text) => `${report.file}: ${text}`));
  return {
    files: reports.length,
    tests: sum(reports, 'tests'),
    failures: sum(reports, 'failures'),
    errors: sum(reports, 'errors'),
    skipped: sum(reports, 'skipped'),
    flaky: sum(reports, 'flaky'),
    mismatches: named(({ mismatch }) => mismatch),
    unreadable: named(({ fault }) => (fault === undefined ? [] : [fault])),
    redElsewhere: named(({ redElsewhere }) => redElsewhere),
    redCases: reports.flatMap(({ redCases }) => redCases).slice(0, keptNames),
  };
}

function sum(reports: readonly JUnitReport[], name: keyof TestTotals): number {
  return reports.reduce((total, { totals }) => total + totals[name], 0);
}
