import { setTimeout as wait } from 'node:timers/promises';
import test from 'ava';
import { withDeadline } from './deadline.ts';

const never = new AbortController().signal;
const forEver = (signal: AbortSignal): Promise<void> => wait(60_000, undefined, { signal });

test('work that takes too long, and work that is not wanted any more, end and are told apart', async (t) => {
  await t.throwsAsync(withDeadline(never, 20, forEver), { code: 'ERR_SERVICE', message: /longer than its deadline/ });
  await t.throwsAsync(withDeadline(AbortSignal.abort(), 60_000, forEver), { code: 'ERR_ABORTED' });
});

test('the result of work in time, and its own errors, are handed on', async (t) => {
  t.is(await withDeadline(never, 60_000, () => Promise.resolve(1)), 1);
  const own = new Error('its own');
  t.is(await t.throwsAsync(withDeadline(never, 60_000, () => Promise.reject(own))), own);
});
