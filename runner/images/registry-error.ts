import { SluiceError } from '../model/errors.ts';
import type { ErrorCode } from '../model/errors.ts';

const codes = {
  /** The registry has no such image, tag or blob. */
  unknown_image: 'ERR_NOT_FOUND',
  /** The image is not there for the platform that was asked for. */
  no_platform: 'ERR_NOT_FOUND',
  /** No credentials, or none that the registry takes. */
  unauthorized: 'ERR_FORBIDDEN',
  /** Credentials are good, and not for this. */
  denied: 'ERR_FORBIDDEN',
  /** No connection, no answer in time, or a connection that broke. */
  unreachable: 'ERR_SERVICE',
  /** It speaks no TLS, or has a certificate that nobody vouches for. */
  untrusted: 'ERR_SERVICE',
  /** 429 or 5xx. */
  busy: 'ERR_SERVICE',
  /** What answers is no registry. */
  not_a_registry: 'ERR_SERVICE',
  /** An upload that the registry does not know any more, or has other bytes of. */
  upload_lost: 'ERR_SERVICE',
  /** Any other answer that is no. */
  refused: 'ERR_SERVICE',
  /** An address that nothing may be sent to. */
  unsafe_address: 'ERR_FORBIDDEN',
  /** Bytes that are not those of their digest, or no manifest. */
  corrupt: 'ERR_CORRUPT',
  /** An image of a kind that cannot be appended to. */
  unsupported: 'ERR_UNSUPPORTED',
} as const satisfies Readonly<Record<string, ErrorCode>>;

export type RegistryReason = keyof typeof codes;

const transient: ReadonlySet<RegistryReason> = new Set(['unreachable', 'busy', 'upload_lost']);

/** What a registry did not do. The message names the registry and the image, `reason` is what code decides by. */
export class RegistryError extends SluiceError {
  readonly reason: RegistryReason;
  /** What the registry asks to wait before the next try. */
  readonly retryAfterMs: number;

  constructor(
    reason: RegistryReason,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown; readonly retryAfterMs?: number } = {},
  ) {
    super(codes[reason], message, options);
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }

  /** Whether the same may go well a moment later. */
  get transient(): boolean {
    return transient.has(this.reason);
  }
}
