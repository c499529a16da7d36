import { SluiceError } from '../model/errors.ts';
import type { Notice } from '../store/outbox.ts';
import { readSigningKey, signMessage } from '../triggers/standard-webhooks.ts';
import type { Message } from './message.ts';

export interface Subscriber {
  readonly url: string;
  /** `whsec_` and at least 24 random bytes in base64; the subscriber checks the signature with it. */
  readonly secret: string;
}

/**
 * The end of a run as a CloudEvent 1.0 in structured mode, signed as a Standard Webhook at `now`. The id is the same at
 * every try, so that a subscriber who gets it twice can tell. `server` is the address that people know Sluice by.
 */
export function eventMessage(notice: Notice, subscriber: Subscriber, server: string, now: number): Message {
  const key = readSigningKey(subscriber.secret);
  if (!key) {
    const hint = 'It is "whsec_" and at least 24 random bytes in base64.';
    throw new SluiceError('ERR_USAGE', `The secret of the subscriber ${subscriber.url} is no signing secret.`, {
      hint,
    });
  }
  const id = `${notice.runId}.${notice.version}`;
  const timestamp = String(Math.floor(now / 1_000));
  const body = JSON.stringify(cloudEvent(id, notice, server));
  return {
    url: subscriber.url,
    headers: {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'user-agent': 'sluice',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signMessage(key, id, timestamp, body),
    },
    body,
  };
}

/** Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
function cloudEvent(id: string, { runId, at, run, request: { trigger } }: Notice, server: string): object {
  return {
    specversion: '1.0',
    id,
    source: server,
    type: 'dev.sluice.run.finished',
    subject: `runs/${runId}`,
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    data: {
      runId,
      repository: run.repository,
      pipeline: run.pipeline,
      event: trigger.event,
      ref: trigger.ref,
      commit: run.commit,
      outcome: run.outcome,
      reason: run.reason,
      createdAt: run.createdAt,
      finishedAt: run.finishedAt,
    },
  };
}
