import type { Clock } from '../model/clock.ts';
import type { NoticeTarget } from '../model/run-request.ts';
import type { Notice } from '../store/outbox.ts';
import { eventMessage } from './event-message.ts';
import type { Subscriber } from './event-message.ts';
import type { Message } from './message.ts';
import type { Receiver } from './receiver.ts';
import type { Sender } from './sender.ts';
import { statusMessage } from './status-message.ts';
import type { StatusTarget } from './status-message.ts';

/** Finds what the configuration says about a target now; undefined when it says nothing any more. */
export interface TargetBook {
  status(name: string, notice: Notice): Promise<StatusTarget | undefined>;
  subscriber(name: string): Promise<Subscriber | undefined>;
}

/** Tells each target in its own way. `server` is the address that people know Sluice by. */
export function createReceiver(sender: Sender, book: TargetBook, server: string, clock: Clock): Receiver {
  return {
    async tell(notice, signal) {
      const message = await messageFor(notice, book, server, clock());
      if (!message) return { kind: 'give-up', reason: `${spoken(notice.target)} is not configured any more` };
      return sender.send(message, signal);
    },
  };
}

async function messageFor(notice: Notice, book: TargetBook, server: string, now: number): Promise<Message | undefined> {
  const { kind, name } = notice.target;
  if (kind === 'status') {
    const target = await book.status(name, notice);
    return target && statusMessage(notice, target);
  }
  const subscriber = await book.subscriber(name);
  return subscriber && eventMessage(notice, subscriber, server, now);
}

function spoken({ kind, name }: NoticeTarget): string {
  return kind === 'status' ? `the commit status of ${name}` : `the subscriber ${name}`;
}
