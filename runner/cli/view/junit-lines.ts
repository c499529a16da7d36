import type { JUnitDescription } from '../../results/junit/describe-file.ts';
import type { Palette } from '../terminal/palette.ts';
import { markOf } from './step-mark.ts';
import { oneLine, testCounts } from './words.ts';

const meanings: Readonly<Record<JUnitDescription['verdict'], string>> = {
  parse: '',
  'parse-empty': 'no test in it',
  reject: 'not well-formed XML, or refused',
  'not-junit': 'XML, but no JUnit report',
};

/** What Sluice makes of one report, and where the report disagrees with itself. */
export function junitLines(description: JUnitDescription, palette: Palette): readonly string[] {
  const { file, verdict, failures, errors, mismatch, fault } = description;
  const isGreen = verdict === 'parse' && failures + errors === 0;
  const mark = markOf(isGreen ? 'succeeded' : 'failed', { palette, animated: false, now: 0 });
  const says = verdict === 'parse' ? testCounts({ ...description, flaky: 0 }) : (fault ?? meanings[verdict]);
  return [
    `${mark} ${oneLine(file)}  ${oneLine(says)}`,
    ...mismatch.map((text) => `  ${palette.ask(`its own totals say otherwise: ${oneLine(text)}`)}`),
  ];
}
