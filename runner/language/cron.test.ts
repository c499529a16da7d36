import test from 'ava';
import { cronFault } from './cron.ts';

for (const cron of [
  '* * * * *',
  '0 3 * * *',
  '*/5 0-6,22 1,15 jan-mar mon-fri',
  '0 0 * * 7',
  '59 23 31 12 sun',
  '0 0 29 2 *',
  '0 0 31 2 1',
  '  0 3  * * * ',
  '0-30/10 * * * *',
]) {
  test(`"${cron}" is a schedule`, (t) => {
    t.is(cronFault(cron), undefined);
  });
}

for (const cron of [
  '',
  '* * * *',
  '* * * * * *',
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '* * 32 * *',
  '* * * 13 *',
  '* * * * 8',
  '5-1 * * * *',
  '*/0 * * * *',
  '1,,2 * * * *',
  '-1 * * * *',
  '* * * foo *',
  'mon * * * *',
  '@daily',
  '0 0 31 2 *',
  '0 0 31 apr,jun *',
  '1.5 * * * *',
  '0 0 30 feb *',
]) {
  test(`"${cron}" is none`, (t) => {
    t.regex(cronFault(cron) ?? '', /\.$/);
  });
}
