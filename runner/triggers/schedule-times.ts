import { Cron } from 'croner';
import type { Schedule } from '../store/watch.ts';

/**
 * Times of a schedule that `language/cron.ts` took, as cron has them: with days of the month and of the week either will
 * do, what the clock skips comes right after, what it repeats comes once (crontab(5), cron(8)).
 */
function cronOf({ cron, timezone }: Schedule): Cron {
  return new Cron(cron, { timezone, mode: '5-part', sloppyRanges: true, paused: true });
}

/** The first time after `after`, ms; undefined when there is none. */
export function nextTime(schedule: Schedule, after: number): number | undefined {
  return cronOf(schedule).nextRun(new Date(after))?.getTime();
}

/** The last time that is not after `now`, ms. */
export function latestTime(schedule: Schedule, now: number): number | undefined {
  const second = Math.floor(now / 1_000) * 1_000;
  return cronOf(schedule)
    .previousRuns(1, new Date(second + 1_000))[0]
    ?.getTime();
}
