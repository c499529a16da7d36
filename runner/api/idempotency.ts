import { createHash } from 'node:crypto';
import type { ServerRecords } from '../store/server-records.ts';
import { ApiError } from './problem.ts';

export interface KeyedRequest {
  readonly subject: string;
  readonly key: string;
  /** What must be the same for the request to be the same. */
  readonly fingerprint: string;
}

/** The request by its key; undefined without one. */
export function keyedRequest(
  subject: string,
  header: unknown,
  method: string,
  url: string,
  body: unknown,
): KeyedRequest | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !/^[!-~]{1,200}$/.test(header)) {
    throw new ApiError({
      status: 400,
      code: 'invalid',
      detail: 'An idempotency key has 1 to 200 visible ASCII characters.',
      place: 'header/idempotency-key',
      next: 'Send a UUID.',
    });
  }
  return { subject, key: header, fingerprint: fingerprintOf([method, url, body]) };
}

/** The answer that was given before; undefined when the request is to be carried out now, by this process alone. */
export async function earlierAnswer(
  store: ServerRecords,
  { subject, key, fingerprint }: KeyedRequest,
): Promise<{ readonly status: number; readonly body: string } | undefined> {
  const kept = await store.takeAnswer(subject, key, fingerprint);
  if (!kept) return undefined;
  refuseReused(kept, fingerprint, keyPlace);
  if (kept.status === undefined) {
    throw refusal(
      409,
      'in_progress',
      'The same request is being carried out.',
      'Ask again in a moment; if it stays, look at what the request was to make.',
    );
  }
  if (kept.body === undefined) {
    throw refusal(
      409,
      'answer_gone',
      'It was carried out; its answer held a secret, which is told once.',
      'Revoke what was made, and make it anew with another key.',
    );
  }
  return { status: kept.status, body: kept.body };
}

/**
 * The answer to a message, by its id: the one that was given before, or what `act` answers, which is kept. What brings about a state may be begun again, so that
 * a message is carried out anew where whoever was at it has died, or has not answered yet. A refusal is not kept.
 */
export async function answerOnce<Answer>(
  store: ServerRecords,
  { subject, id, wish }: { readonly subject: string; readonly id: string; readonly wish: unknown },
  act: () => Promise<Answer>,
): Promise<Answer> {
  const key = `websocket ${id}`;
  const fingerprint = fingerprintOf(wish);
  const kept = await store.takeAnswer(subject, key, fingerprint);
  if (kept) refuseReused(kept, fingerprint, 'message/id');
  if (kept?.body !== undefined) return JSON.parse(kept.body) as Answer;
  try {
    const answer = await act();
    await store.keepAnswer(subject, key, { status: 200, body: JSON.stringify(answer) });
    return answer;
  } catch (error) {
    await store.dropAnswer(subject, key);
    throw error;
  }
}

const keyPlace = 'header/idempotency-key';

function fingerprintOf(wish: unknown): string {
  return createHash('sha256').update(JSON.stringify(wish)).digest('hex');
}

function refuseReused(kept: { readonly fingerprint: string }, fingerprint: string, place: string): void {
  if (kept.fingerprint === fingerprint) return;
  const what = place === keyPlace ? 'key' : 'id';
  throw new ApiError({
    status: 422,
    code: 'key_reused',
    detail: `The ${what} was sent with another request before.`,
    place,
    next: `Take a new ${what} for a new request.`,
  });
}

function refusal(status: number, code: string, detail: string, next: string): ApiError {
  return new ApiError({ status, code, detail, place: keyPlace, next });
}
