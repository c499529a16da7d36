import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../model/clock.ts';
import { messageOf } from '../model/errors.ts';
import type { Logger } from '../model/logger.ts';
import type { Notice, Outbox } from '../store/outbox.ts';
import { decideDelivery } from './delivery-policy.ts';
import type { Answer, Receiver } from './receiver.ts';

/** Longer than any receiver may take. */
const leaseMs = 60_000;
/** Notices on their way at once. */
const capacity = 10;
/** How long new notices may lie unseen. */
const pollMs = 500;

interface Dependencies {
  readonly outbox: Outbox;
  readonly receiver: Receiver;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Tells what is due until the signal comes; then cuts off what is under way, so that it is due at once again, and ends.
 * Several processes may do it on one store. Rejects when the store fails.
 */
export async function deliverOutbox(dependencies: Dependencies, signal: AbortSignal): Promise<void> {
  const { outbox, clock } = dependencies;
  const underWay = new Set<Promise<void>>();
  while (!signal.aborted) {
    const next = await outbox.nextNotice();
    const isDue = next !== undefined && next <= clock() && underWay.size < capacity;
    const notices = isDue ? await outbox.takeNotices(clock(), leaseMs, capacity - underWay.size) : [];
    for (const notice of notices) {
      const delivery = deliver(notice, dependencies, signal).finally(() => underWay.delete(delivery));
      underWay.add(delivery);
    }
    await Promise.race([pause(signal), ...underWay]);
  }
  await Promise.all(underWay);
}

/** A failure of the store is left to the end of the lease. */
async function deliver(
  notice: Notice,
  { outbox, receiver, clock, logger }: Dependencies,
  signal: AbortSignal,
): Promise<void> {
  const { target, runId, version, at, attempts } = notice;
  const fields = { kind: target.kind, target: target.name, runId, version, attempts };
  try {
    const answer = await tell(receiver, notice, signal);
    if (signal.aborted && answer.kind !== 'done') {
      await outbox.postponeNotice(notice, clock());
      return;
    }
    const decision = decideDelivery(answer, { at, attempts, now: clock(), chance: Math.random() });
    if (decision.kind === 'postpone') {
      logger.warn('A receiver could not be told', {
        ...fields,
        reason: decision.reason,
        notBefore: decision.notBefore,
      });
      await outbox.postponeNotice(notice, decision.notBefore);
      return;
    }
    if (decision.kind === 'give-up') logger.error('A receiver was given up', { ...fields, reason: decision.reason });
    await outbox.settleNotice(notice);
  } catch (error) {
    logger.error('A notice could not be dealt with', { ...fields, error });
  }
}

async function tell(receiver: Receiver, notice: Notice, signal: AbortSignal): Promise<Answer> {
  try {
    return await receiver.tell(notice, signal);
  } catch (error) {
    return { kind: 'retry', reason: messageOf(error) };
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await sleep(pollMs, undefined, { signal }).catch(() => 'no longer wanted');
}
