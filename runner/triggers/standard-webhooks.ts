import { createHmac } from 'node:crypto';
import type { Headers, Verification } from './forge.ts';
import { equalSecrets, genuine, header, refused } from './signature.ts';

/** Seconds that a signed time may differ from ours. */
const tolerance = 300;
const keyPrefix = 'whsec_';
/** Shorter keys than the specification's 24 bytes can be guessed. */
const shortestKey = 24;

/**
 * The key in a secret of the form `whsec_BASE64`, or undefined.
 * Source: Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function readSigningKey(secret: string): Buffer | undefined {
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const key = Buffer.from(encoded ?? '', 'base64');
  return key.length >= shortestKey ? key : undefined;
}

export function isSigningSecret(secret: string): boolean {
  return secret.startsWith(keyPrefix);
}

/** The value of `webhook-signature`; `timestamp` in seconds since the epoch. */
export function signMessage(key: Buffer, id: string, timestamp: string, body: Buffer | string): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
}

/** Judges the three `webhook-*` headers; several signatures may stand there while a key is changed. `now` in ms. */
export function judgeMessage(headers: Headers, body: Buffer, secret: string, now: number): Verification {
  const key = readSigningKey(secret);
  if (!key) return refused('the configured signing token is not "whsec_" and at least 24 bytes in base64');
  const id = header(headers, 'webhook-id') ?? '';
  const timestamp = header(headers, 'webhook-timestamp') ?? '';
  if (id === '' || !/^\d{1,12}$/.test(timestamp)) return refused('webhook-id or webhook-timestamp is missing');
  if (Math.abs(now / 1000 - Number(timestamp)) > tolerance)
    return refused('the signed time is not within five minutes');
  const expected = signMessage(key, id, timestamp, body);
  const given = (header(headers, 'webhook-signature') ?? '').split(' ', 10);
  return given.some((signature) => equalSecrets(signature, expected)) ? genuine : refused('the signature is wrong');
}
