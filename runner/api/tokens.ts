import { createHash, randomBytes } from 'node:crypto';
import type { ServerRecords, Token } from '../store/server-records.ts';
import type { Role } from './access.ts';

const prefix = 'sluice_';

export interface NewToken {
  readonly name: string;
  readonly role: Role;
  /** Undefined for all. */
  readonly repositories?: readonly string[];
  readonly createdBy: string;
  readonly expiresAt?: number;
}

/** Makes a token. Its secret is told here and never again: only its sha256 is kept. */
export async function createToken(
  store: ServerRecords,
  wish: NewToken,
  now: number,
): Promise<{ readonly token: Token; readonly secret: string }> {
  const secret = `${prefix}${randomBytes(32).toString('base64url')}`;
  const token: Token = { id: randomBytes(8).toString('hex'), ...wish, createdAt: now };
  await store.addToken(token, digestOf(secret));
  return { token, secret };
}

export function isTokenSecret(text: string): boolean {
  return text.startsWith(prefix);
}

/** The database finds a token by this, so that no comparison of secrets takes a time that tells something. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
