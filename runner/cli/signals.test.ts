import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { onSignals } from './signals.ts';

test('a signal that comes twice at once is one wish to end, a later one another', async (t) => {
  const signals = new EventEmitter();
  let wishes = 0;
  const listening = onSignals({ signals }, () => (wishes += 1));
  signals.emit('SIGTERM');
  signals.emit('SIGTERM');
  signals.emit('SIGHUP');
  t.is(wishes, 1);
  await delay(600);
  signals.emit('SIGINT');
  t.is(wishes, 2);
  listening.close();
  await delay(600);
  signals.emit('SIGINT');
  t.is(wishes, 2);
});
