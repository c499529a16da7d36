import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { eachOf } from './each-of.ts';

test('answers come in the order of the items, and never more are under way than allowed', async (t) => {
  let [now, most] = [0, 0];
  const answers = await eachOf([30, 1, 20, 2, 10], 2, async (ms) => {
    most = Math.max(most, (now += 1));
    await delay(ms);
    now -= 1;
    return ms * 2;
  });
  t.deepEqual(answers, [60, 2, 40, 4, 20]);
  t.is(most, 2);
  t.deepEqual(await eachOf([], 2, () => Promise.reject(new Error('nothing to do'))), []);
});

test('after a failure nothing begins, and it is told when all that had begun has ended', async (t) => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = async (item: number): Promise<void> => {
    begun.push(item);
    await delay(item === 2 ? 1 : 20);
    if (item === 2) throw new Error('no room');
    ended.push(item);
  };
  await t.throwsAsync(eachOf([1, 2, 3, 4], 2, work), { message: 'no room' });
  t.deepEqual([begun, ended], [[1, 2], [1]]);
});
