import { formatDuration } from '../../model/duration.ts';
import type { TestTotals } from '../../model/result.ts';
import type { Palette } from '../terminal/palette.ts';
import { harmless } from '../terminal/text.ts';
import type { RunTest } from '../test-results.ts';
import { isRed, markOf } from './step-mark.ts';
import type { StepMark } from './step-mark.ts';
import { caseName } from './summary.ts';
import { oneLine, testCounts } from './words.ts';

const shownDetails = 15;

/** The cases, each with its message and the beginning of its details where it is red, and the totals of the run. */
export function testLines(cases: readonly RunTest[], totals: TestTotals, palette: Palette): readonly string[] {
  const lines = cases.flatMap((testCase) => caseLines(testCase, palette));
  const red = totals.failures + totals.errors > 0;
  return [...lines, ...(lines.length > 0 ? [''] : []), (red ? palette.bad : palette.good)(testCounts(totals))];
}

function caseLines(testCase: RunTest, palette: Palette): readonly string[] {
  const mark = markOf(markOfCase(testCase), { palette, animated: false, now: 0 });
  const remarks = [testCase.step, formatDuration(testCase.durationMs), ...(testCase.flaky ? ['flaky'] : [])].join(', ');
  const head = `${mark} ${caseName(testCase)}  ${palette.faint(remarks)}`;
  return [head, ...(isRed(testCase) ? failureLines(testCase, palette) : [])];
}

function failureLines({ message, details, file }: RunTest, palette: Palette): readonly string[] {
  const lines = details.split('\n').map((line) => harmless(line, false).trimEnd());
  const body = lines.filter((line) => line.trim() !== '' && line.trim() !== message.trim());
  const more = body.length - shownDetails;
  return [
    ...(file === '' ? [] : [palette.faint(oneLine(file))]),
    ...(message === '' ? [] : [palette.bad(oneLine(message))]),
    ...body.slice(0, shownDetails).map(palette.faint),
    ...(more > 0 ? [palette.faint(`… ${more} more lines with --json`)] : []),
  ].map((line) => `    ${line}`);
}

function markOfCase({ outcome }: RunTest): StepMark {
  return outcome === 'passed' ? 'succeeded' : outcome;
}
