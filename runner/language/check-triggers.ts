import { cronFault } from './cron.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Triggers } from './pipeline-file.generated.ts';
import { under } from './problem-list.ts';
import type { ProblemList, Spot } from './problem-list.ts';

/** Patterns that let nothing in, schedules that never come, time zones that do not exist. */
export function checkTriggers(problems: ProblemList, on: Spot, triggers: Triggers): void {
  for (const event of ['push', 'pull_request'] as const) {
    for (const [filter, patterns] of Object.entries(triggers[event] ?? {}))
      checkPatterns(problems, under(on, event, filter), patterns);
  }
  for (const [index, { cron, timezone }] of (triggers.schedule ?? []).entries()) {
    const spot = under(on, 'schedule', index);
    const fault = cronFault(cron);
    if (fault !== undefined)
      problems.add(under(spot, 'cron'), 'cron-invalid', fault, 'Every day at three is `0 3 * * *`.');
    if (timezone === undefined || isTimezone(timezone)) continue;
    const hint = didYouMean(timezone, Intl.supportedValuesOf('timeZone')) ?? 'Write a name such as `Europe/London`.';
    problems.add(under(spot, 'timezone'), 'timezone-unknown', `There is no time zone \`${timezone}\`.`, hint);
  }
}

/** Lists of patterns of names, as triggers, previews and promotion have them. Refuses a `!` that takes out of nothing, or nothing. */
export function checkPatterns(problems: ProblemList, spot: Spot, patterns: readonly string[]): void {
  const [first = ''] = patterns;
  if (/^!./.test(first)) {
    problems.add(
      under(spot, 0),
      'pattern-invalid',
      `\`${first}\` takes out of what nothing was let into.`,
      'Begin with what to let in, such as `"**"`.',
    );
  }
  for (const [index, pattern] of patterns.entries()) {
    if (pattern !== '!') continue;
    problems.add(
      under(spot, index),
      'pattern-invalid',
      'There is nothing behind the `!`.',
      'Write a name or pattern behind it.',
    );
  }
}

/** Whether it has nothing that `checkTriggers` would find. */
export function isSchedule({ cron, timezone }: NonNullable<Triggers['schedule']>[number]): boolean {
  return cronFault(cron) === undefined && (timezone === undefined || isTimezone(timezone));
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return !/^[+-]/.test(name);
  } catch {
    return false;
  }
}
