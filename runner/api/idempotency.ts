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
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([method, url, body]))
    .digest('hex');
  return { subject, key: header, fingerprint };
}

/** The answer that was given before; undefined when the request is to be carried out now, by this process alone. */
export async function earlierAnswer(
  store: ServerRecords,
  { subject, key, fingerprint }: KeyedRequest,
): Promise<{ readonly status: number; readonly body: string } | undefined> {
  const kept = await store.takeAnswer(subject, key, fingerprint);
  if (!kept) return undefined;
  if (kept.fingerprint !== fingerprint) {
    throw refusal(
      422,
      'key_reused',
      'The key was sent with another request before.',
      'Take a new key for a new request.',
    );
  }
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

function refusal(status: number, code: string, detail: string, next: string): ApiError {
  return new ApiError({ status, code, detail, place: 'header/idempotency-key', next });
}
