import { formatDuration } from '../../model/duration.ts';
import type { TestTotals } from '../../model/result.ts';
import { matrixName } from '../../model/step-names.ts';
import type { Waiting } from '../../results/report/waiting.ts';
import { harmless } from '../terminal/text.ts';

/** "1 test", "12 tests". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** "128 tests, 2 failed, 1 skipped". */
export function testCounts({ tests, failures, errors, skipped, flaky }: TestTotals): string {
  const red = failures + errors;
  return [
    count(tests, 'test'),
    ...(red > 0 ? [`${red} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(flaky > 0 ? [`${flaky} flaky`] : []),
  ].join(', ');
}

/** Why something has not begun, after "waits for". `now` in ms since the epoch. */
export function waitingWords(waiting: Waiting, now: number): string {
  switch (waiting.for) {
    case 'steps':
      return `waits for ${shortList([...new Set(waiting.steps.map((id) => matrixName(id) ?? id))])}`;
    case 'end':
      return 'waits for the end of the other steps';
    case 'approval':
      return `waits for approval: ${oneLine(waiting.message)}`;
    case 'review':
      return `waits until commit ${waiting.commit.slice(0, 12)} is approved`;
    case 'group':
      return `waits for group ${waiting.group}${waiting.holder === undefined ? '' : `, held by ${waiting.holder}`}`;
    case 'max-parallel':
      return `waits for one of ${count(waiting.limit, 'place')} (max-parallel)`;
    case 'retry':
      return `tries again in ${formatDuration(Math.max(0, waiting.notBefore - now))}`;
    case 'executor':
      return `waits (${waiting.reason}): ${oneLine(waiting.message)}`;
    case 'place':
      return 'waits for a free place';
  }
}

/** Text of a user or a step, for one line of a view. */
export function oneLine(text: string): string {
  return wordsIn(text).join(' ');
}

/** The first line of such a text, with a sign that it goes on. */
export function firstLine(text: string): string {
  const [first = '', ...rest] = wordsIn(text);
  return rest.length === 0 ? first : `${first} …`;
}

/** The lines of such a text that show something. */
export function wordsIn(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => harmless(line, false).trim())
    .filter((line) => line !== '');
}

const listed = 3;

/** "lint, unit:22, unit:24 and 7 more". */
export function shortList(names: readonly string[]): string {
  const rest = names.length - listed;
  return rest > 1 ? `${names.slice(0, listed).join(', ')} and ${rest} more` : names.join(', ');
}

/** "3f2a9c1b7" for a commit of 40 or 64 digits; a repository without one gives zeros. */
export function shortCommit(commit: string): string {
  return /^0+$/.test(commit) ? 'no commit' : commit.slice(0, 9);
}
