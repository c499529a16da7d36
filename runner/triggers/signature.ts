import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { Headers, Verification } from './forge.ts';

export const genuine: Verification = { genuine: true };

export function refused(reason: string): Verification {
  return { genuine: false, reason };
}

/** A header that was sent once; a repeated one is as good as none. */
export function header(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Compares digests of one length, so that the time tells neither the length nor where they differ. */
export function equalSecrets(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}

/** Judges a signature `PREFIX` + 64 hex digits of the HMAC-SHA256 over the body. */
export function judgeHexSignature(signature: string, prefix: string, secret: string, body: Buffer): Verification {
  if (!signature.startsWith(prefix)) return refused(`the signature does not begin with "${prefix}"`);
  const expected = createHmac('sha256', secret).update(body).digest('hex');
  return equalSecrets(signature.slice(prefix.length), expected) ? genuine : refused('the signature is wrong');
}
