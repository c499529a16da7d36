import test from 'ava';
import fc from 'fast-check';
import { decideDelivery } from './delivery-policy.ts';
import type { Answer } from './receiver.ts';

const down: Answer = { kind: 'retry', reason: 'it is down' };
const hour = 3_600_000;

test('what was told is forgotten, and what is refused for good is given up at once', (t) => {
  const moment = { at: 0, attempts: 1, now: 5, chance: 0.5 };
  t.deepEqual(decideDelivery({ kind: 'done' }, moment), { kind: 'forget' });
  t.like(decideDelivery({ kind: 'give-up', reason: 'no' }, moment), { kind: 'give-up', reason: 'no' });
});

test('the wait doubles up to a quarter of an hour', (t) => {
  const waits = [1, 2, 3, 10, 11, 1_000].map((attempts) => {
    const decision = decideDelivery(down, { at: 0, attempts, now: 100, chance: 1 });
    return decision.kind === 'postpone' && decision.notBefore - 100;
  });
  t.deepEqual(waits, [2_000, 4_000, 8_000, 900_000, 900_000, 900_000]);
});

test('the wait is never shorter than what the receiver asks for, nor than half of its own', (t) => {
  const anyMoment = fc.record({
    attempts: fc.integer({ min: 1, max: 200 }),
    chance: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(anyMoment, fc.nat(hour), ({ attempts, chance }, afterMs) => {
      const decision = decideDelivery({ ...down, afterMs }, { at: 0, attempts, now: hour, chance });
      if (decision.kind !== 'postpone') return t.fail();
      const wait = decision.notBefore - hour;
      t.true(wait >= afterMs && wait >= Math.min(1_000 * 2 ** (attempts - 1), 450_000));
      t.true(wait <= Math.max(afterMs, 900_000));
    }),
  );
});

test('F-27: it is tried for 24 hours, and once when it comes out later', (t) => {
  const after = (now: number) => decideDelivery(down, { at: 0, attempts: 90, now, chance: 0 });
  t.is(after(24 * hour - 1).kind, 'postpone');
  t.deepEqual(after(24 * hour), { kind: 'give-up', reason: 'for 24 hours: it is down' });
});
