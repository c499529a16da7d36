import test from 'ava';
import { latestTime, nextTime } from './schedule-times.ts';

const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());
const at = (text: string) => Date.parse(text);

for (const [cron, timezone, after, next] of [
  ['0 3 * * *', 'UTC', '2026-06-01T02:59:59.999Z', '2026-06-01T03:00:00.000Z'],
  ['0 3 * * *', 'UTC', '2026-06-01T03:00:00Z', '2026-06-02T03:00:00.000Z'],
  ['0 3 * * *', 'Asia/Kolkata', '2026-06-01T00:00:00Z', '2026-06-01T21:30:00.000Z'],
  ['*/5 0-6,22 1,15 jan-mar mon-fri', 'UTC', '2026-03-03T00:00:00Z', '2026-03-03T00:05:00.000Z'],
  // Either day will do: the 13th is a Monday.
  ['0 0 13 * fri', 'UTC', '2026-07-10T00:00:00Z', '2026-07-13T00:00:00.000Z'],
  ['0 0 29 2 *', 'UTC', '2026-06-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
  ['5/15 * * * *', 'UTC', '2026-06-01T00:06:00Z', '2026-06-01T00:20:00.000Z'],
] as const) {
  test(`"${cron}" in ${timezone} comes after ${after} at ${next}`, (t) => {
    t.is(iso(nextTime({ cron, timezone }, at(after))), next);
  });
}

test('a time that the clock skips comes right after, and one that it repeats comes once', (t) => {
  const daily = { cron: '30 1 * * *', timezone: 'Europe/London' };
  t.is(iso(nextTime(daily, at('2026-03-28T12:00:00Z'))), '2026-03-29T01:00:00.000Z');
  const once = nextTime(daily, at('2026-10-24T12:00:00Z')) ?? 0;
  t.is(iso(once), '2026-10-25T00:30:00.000Z');
  t.is(iso(nextTime(daily, once)), '2026-10-26T01:30:00.000Z');
});

test('the latest time is the last one that has come, this moment included', (t) => {
  const daily = { cron: '0 3 * * *', timezone: 'UTC' };
  t.is(iso(latestTime(daily, at('2026-06-05T02:59:59.999Z'))), '2026-06-04T03:00:00.000Z');
  t.is(iso(latestTime(daily, at('2026-06-05T03:00:00.000Z'))), '2026-06-05T03:00:00.000Z');
  t.is(iso(latestTime(daily, at('2026-06-05T03:00:00.700Z'))), '2026-06-05T03:00:00.000Z');
});
