import { createPublicKey, verify } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { audience } from '../../agent/protocol.ts';
import { SluiceError } from '../../model/errors.ts';
import type { Json } from '../../model/json.ts';

/** Whose token it is, as the API server says by its signature. */
export interface PodIdentity {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
}

interface Claims {
  readonly aud?: string | readonly string[];
  readonly exp?: number;
  readonly nbf?: number;
  readonly 'kubernetes.io'?: {
    readonly namespace?: string;
    readonly pod?: { readonly name?: string; readonly uid?: string };
  };
}

const algorithms: Readonly<Record<string, { readonly hash: string; readonly dsaEncoding?: 'ieee-p1363' }>> = {
  RS256: { hash: 'RSA-SHA256' },
  ES256: { hash: 'SHA256', dsaEncoding: 'ieee-p1363' },
  ES384: { hash: 'SHA384', dsaEncoding: 'ieee-p1363' },
};

const leewaySeconds = 10;
const refetchMs = 5_000;

/**
 * Verifies tokens that the kubelet projects into a pod (service account tokens bound to it; RFC 7519, RFC 7515). They are
 * made for us alone by their audience, end with the pod, and need no secret of ours anywhere. The keys come from the API
 * server (`/openid/v1/jwks`) once, and again when an unknown one is named.
 */
export class PodTokens {
  readonly #fetchKeys: () => Promise<Json>;
  readonly #now: () => number;
  #keys: ReadonlyMap<string, KeyObject> = new Map();
  #fetchedAt = -Infinity;
  #fetching: Promise<void> | undefined;

  constructor(fetchKeys: () => Promise<Json>, now: () => number = Date.now) {
    this.#fetchKeys = fetchKeys;
    this.#now = now;
  }

  /** Rejects with ERR_USAGE for whatever is no valid token of a pod, and with the error of the API server. */
  async verify(token: string): Promise<PodIdentity> {
    const [head = '', body = '', signature = '', ...rest] = token.split('.');
    const { alg, kid } = parse(head) as { readonly alg?: string; readonly kid?: string };
    const algorithm = alg === undefined ? undefined : algorithms[alg];
    if (rest.length > 0 || algorithm === undefined || kid === undefined) throw refused('it is none');
    const key = await this.#key(kid);
    if (key === undefined) throw refused('its key is not known');
    const { dsaEncoding, hash } = algorithm;
    const options = dsaEncoding === undefined ? key : { key, dsaEncoding };
    if (!verify(hash, Buffer.from(`${head}.${body}`), options, Buffer.from(signature, 'base64url'))) {
      throw refused('its signature does not fit');
    }
    return this.#identity(parse(body) as Claims);
  }

  #identity({ aud, exp = 0, nbf = 0, 'kubernetes.io': own }: Claims): PodIdentity {
    const now = this.#now() / 1000;
    if (![aud].flat().includes(audience)) throw refused('it is made for somebody else');
    if (now > exp + leewaySeconds || now < nbf - leewaySeconds) throw refused('it is not valid at this time');
    const { namespace, pod } = own ?? {};
    if (namespace === undefined || pod?.name === undefined || pod.uid === undefined) throw refused('it is of no pod');
    return { namespace, pod: pod.name, uid: pod.uid };
  }

  async #key(kid: string): Promise<KeyObject | undefined> {
    if (!this.#keys.has(kid) && this.#now() - this.#fetchedAt > refetchMs) {
      this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined));
      await this.#fetching;
    }
    return this.#keys.get(kid);
  }

  async #fetch(): Promise<void> {
    const { keys = [] } = (await this.#fetchKeys()) as { readonly keys?: readonly (JsonWebKey & { kid?: string })[] };
    this.#keys = new Map(keys.map((key) => [key.kid ?? '', createPublicKey({ key, format: 'jwk' })]));
    this.#fetchedAt = this.#now();
  }
}

function parse(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) ?? {};
  } catch {
    throw refused('it is none');
  }
}

function refused(why: string): SluiceError {
  return new SluiceError('ERR_USAGE', `The token is refused: ${why}.`);
}
