import { SluiceError } from '../model/errors.ts';

/** Where an image lies, or is to lie. */
export interface ImageReference {
  /** Registry as people write it, with its port: `localhost:5000`, `docker.io`. */
  readonly host: string;
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:…`; it decides where there is a tag too. */
  readonly digest?: string;
}

const part = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*';
const grammar = new RegExp(
  `^(?:(?<host>(?:[a-zA-Z0-9.-]+|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?)/)?(?<repository>${part}(?:/${part})*)` +
    '(?::(?<tag>\\w[\\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$',
);
const maxLength = 600;

/**
 * `HOST/REPOSITORY[:TAG][@DIGEST]`; without a host it is Docker Hub's, as everywhere. ERR_USAGE for anything else.
 * Source: the grammar of distribution's package `reference`; digests are sha256 only.
 */
export function parseReference(text: string): ImageReference {
  const groups = text.length > maxLength ? undefined : grammar.exec(withHost(text))?.groups;
  const { host, repository, tag, digest } = groups ?? {};
  if (host === undefined || repository === undefined) {
    throw new SluiceError('ERR_USAGE', `${JSON.stringify(text.slice(0, maxLength))} is no reference of an image`, {
      hint: 'Write HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…, in small letters.',
    });
  }
  return { host, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** The first part is a host if it can be told from a name: a dot, a port, or `localhost`. */
function withHost(text: string): string {
  const [first = '', ...rest] = text.split('/');
  const named = rest.length > 0 && (/[.:[]/.test(first) || first === 'localhost');
  const whole = named ? text : `docker.io/${text}`;
  return /^docker\.io\/[^/]+$/.test(whole) ? whole.replace('docker.io/', 'docker.io/library/') : whole;
}

/** `HOST/REPOSITORY`, the place of every version of an image. */
export function placeOf({ host, repository }: Pick<ImageReference, 'host' | 'repository'>): string {
  return `${host}/${repository}`;
}

/** The whole reference as text. */
export function referenceText({ host, repository, tag, digest }: ImageReference): string {
  return `${host}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}
