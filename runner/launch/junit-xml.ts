import { countOf } from './read-tap.ts';
import type { TapResult } from './read-tap.ts';

/** A JUnit report with one suite per test file. */
export function junitXml(results: readonly TapResult[]): string {
  const suites = Map.groupBy(results, (result) => result.suite);
  const body = [...suites].map(([name, cases]) => testSuite(name, cases)).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${counts(results)}>\n${body}</testsuites>\n`;
}

function testSuite(name: string, cases: readonly TapResult[]): string {
  return `<testsuite name="${escape(name)}"${counts(cases)}>\n${cases.map(testCase).join('')}</testsuite>\n`;
}

function testCase({ suite, title, outcome, details }: TapResult): string {
  const body = { passed: '', skipped: '<skipped/>', failed: `<failure>${escape(details)}</failure>` }[outcome];
  return `<testcase classname="${escape(suite)}" name="${escape(title)}">${body}</testcase>\n`;
}

function counts(results: readonly TapResult[]): string {
  return ` tests="${results.length}" failures="${countOf(results, 'failed')}" skipped="${countOf(results, 'skipped')}"`;
}

/** Characters that XML 1.0 cannot hold become the replacement character. */
function escape(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\u{fffd}')
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
