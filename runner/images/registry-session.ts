import { meetChallenge, parseChallenge } from './authorization.ts';
import type { Challenge, Scope } from './authorization.ts';
import { drop, exchange, readBody } from './exchange.ts';
import type { Answer, Ask, Reach } from './exchange.ts';
import { placeOf } from './image-reference.ts';
import type { ImageReference } from './image-reference.ts';
import type { Credentials } from './registry-credentials.ts';
import { registryUrl } from './registry-address.ts';
import type { PlainHttp } from './registry-address.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryReason } from './registry-error.ts';

const complaintBytes = 64 * 1024;
const maxComplaint = 300;

/** How registries are reached: who we are there, and which of them speak plain HTTP. */
export interface RegistryAccess {
  readonly credentials: Credentials;
  readonly plainHttp: PlainHttp;
}

export type Place = Pick<ImageReference, 'host' | 'repository'>;

/** A request to a path below `/v2/REPOSITORY/`, or to an address that the registry gave for an upload. */
export type Call = Omit<Ask, 'url' | 'authorization'> & { readonly to: string | URL };

/** Requests to one repository, with the credentials that its registry asks for, once it has asked. */
export class RegistrySession {
  readonly place: Place;
  readonly signal: AbortSignal;
  readonly #root: URL;
  readonly #reach: Reach;
  readonly #credentials: Credentials;
  readonly #scopes: readonly Scope[];
  #authorization: Promise<string | undefined> | undefined;

  /** `mountFrom` is another repository of the same registry that blobs are to be taken from. */
  constructor(
    place: Place,
    { credentials, plainHttp }: RegistryAccess,
    signal: AbortSignal,
    { push = false, mountFrom }: { readonly push?: boolean; readonly mountFrom?: string | undefined } = {},
  ) {
    this.place = place;
    this.signal = signal;
    this.#reach = { plainHttp, signal };
    this.#root = registryUrl(place.host, plainHttp);
    this.#credentials = credentials;
    const own = `repository:${place.repository}:${push ? 'pull,push' : 'pull'}`;
    this.#scopes = mountFrom === undefined ? [own] : [own, `repository:${mountFrom}:pull`];
  }

  /** The answer, whatever its status, except for 401, 403, 429 and 5xx, which are RegistryErrors. */
  async call({ to, ...ask }: Call): Promise<Answer> {
    const url = to instanceof URL ? to : new URL(`/v2/${this.place.repository}/${to}`, this.#root);
    this.#authorization ??= this.#keep(this.#introduce());
    let answer = await exchange({ ...ask, url, authorization: await this.#authorization }, this.#reach);
    if (answer.status === 401) {
      // A token that has become too old, or a registry that asks nobody at its door.
      await drop(answer, this.signal);
      this.#authorization = this.#keep(this.#meet(answer));
      answer = await exchange({ ...ask, url, authorization: await this.#authorization }, this.#reach);
    }
    if ([401, 403, 429].includes(answer.status) || answer.status >= 500) throw await this.failure(answer);
    return answer;
  }

  /** An address that the registry gave. `unsafe_address` when it is another host's: nobody named that one. */
  resolve(location: string | undefined, from: Answer): URL {
    const url = location === undefined ? null : URL.parse(location, from.url.href);
    if (!url) throw new RegistryError('not_a_registry', `${this.place.host} says no address for an upload`);
    if (url.origin === from.url.origin) return url;
    throw new RegistryError('unsafe_address', `${this.place.host} sends an upload to ${url.origin}`, {
      hint: 'A registry behind a proxy has to know its own address: see its setting for the external URL.',
    });
  }

  /** What an answer that is no success means; reads its body. */
  async failure(answer: Answer, reason = reasonOf(answer.status)): Promise<RegistryError> {
    const complaint = complaintOf(await readBody(answer, complaintBytes, this.signal).catch(() => Buffer.from('')));
    const said = [answer.status, complaint].filter(Boolean).join(', ');
    const message = `${placeOf(this.place)}: ${sentences[reason] ?? 'the registry refused'} (${said})`;
    const hint = hints[reason];
    return new RegistryError(reason, message, {
      ...(hint !== undefined && { hint }),
      retryAfterMs: retryAfterMs(answer.headers['retry-after']),
    });
  }

  /** What failed is asked for anew by the next request. */
  #keep(authorization: Promise<string | undefined>): Promise<string | undefined> {
    authorization.catch(() => {
      if (this.#authorization === authorization) this.#authorization = undefined;
    });
    return authorization;
  }

  /** Asks at the registry's door what it wants to be shown. Source: distribution-spec, "Determining Support". */
  async #introduce(): Promise<string | undefined> {
    const answer = await exchange({ method: 'GET', url: new URL('/v2/', this.#root) }, this.#reach);
    if (answer.status === 401) {
      await drop(answer, this.signal);
      return this.#meet(answer);
    }
    if (answer.status === 429 || answer.status >= 500) throw await this.failure(answer);
    await drop(answer, this.signal);
    if (answer.status === 200) return undefined;
    throw new RegistryError(
      'not_a_registry',
      `${this.place.host} answers ${answer.status} at /v2/, as no registry does`,
      {
        hint: 'Check the host and the port of the image reference.',
      },
    );
  }

  async #meet({ headers }: Answer): Promise<string | undefined> {
    const challenge: Challenge | undefined = parseChallenge(headers['www-authenticate']);
    if (!challenge) return undefined;
    const credential = this.#credentials(this.place.host, this.place.repository);
    return meetChallenge(challenge, credential, this.#scopes, this.#reach);
  }
}

function reasonOf(status: number): RegistryReason {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'denied';
  if (status === 404) return 'unknown_image';
  return status === 429 || status >= 500 ? 'busy' : 'refused';
}

const sentences: Partial<Record<RegistryReason, string>> = {
  unauthorized: 'the registry does not let us in',
  denied: 'the registry does not let us do this',
  unknown_image: 'there is no such image',
  busy: 'the registry is not able to answer now',
  upload_lost: 'the registry lost the upload',
};

const hints: Partial<Record<RegistryReason, string>> = {
  unauthorized: 'Put credentials for it into ~/.docker/config.json, or into the file that REGISTRY_AUTH_FILE names.',
  denied: 'Its credentials need the right to pull here, or to push.',
  unknown_image: 'Check repository and tag of the reference.',
};

/** First code and message of an error as the specification has it; nothing of other texts. */
function complaintOf(body: Buffer): string {
  try {
    const { errors } = JSON.parse(body.toString()) as {
      readonly errors?: readonly Readonly<Record<string, unknown>>[];
    };
    const words = [errors?.[0]?.['code'], errors?.[0]?.['message']].filter((word) => typeof word === 'string');
    return words
      .join(': ')
      .replace(/[^\x20-\x7e]+/g, ' ')
      .slice(0, maxComplaint);
  } catch {
    return '';
  }
}

function retryAfterMs(header: string | undefined): number {
  if (header === undefined) return 0;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1_000;
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1_000) : 0;
}
