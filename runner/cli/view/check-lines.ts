import type { Check } from '../doctor/check.ts';
import type { Palette } from '../terminal/palette.ts';
import { markOf } from './step-mark.ts';
import { count, oneLine } from './words.ts';

const states = { ok: 'succeeded', warning: 'approval', failed: 'failed' } as const;

/** One line per check, the next step below those that are not well, and the sum. */
export function checkLines(checks: readonly Check[], palette: Palette): readonly string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, status, message, hint }) => [
    `${markOf(states[status], { palette, animated: false, now: 0 })} ${name.padEnd(width)}  ${oneLine(message)}`,
    ...(hint === '' ? [] : [`  ${' '.repeat(width)}  ${palette.ask(hint)}`]),
  ]);
  return [...lines, '', sum(checks, palette)];
}

function sum(checks: readonly Check[], palette: Palette): string {
  const failed = checks.filter(({ status }) => status === 'failed').length;
  const warnings = checks.filter(({ status }) => status === 'warning').length;
  if (failed > 0) return palette.bad(`${count(failed, 'check')} failed: runs will not work`);
  if (warnings > 0) return palette.ask(`ready, except for ${count(warnings, 'remark')} above`);
  return palette.good('ready');
}
