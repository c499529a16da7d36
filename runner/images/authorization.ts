import { exchange, readBody } from './exchange.ts';
import type { Reach } from './exchange.ts';
import type { Credential } from './registry-credentials.ts';
import { RegistryError } from './registry-error.ts';

const answerBytes = 256 * 1024;

/** What a registry wants to be shown: `Basic`, or a token from `realm`. */
export type Challenge =
  { readonly scheme: 'basic' } | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string };

/** The first challenge of a WWW-Authenticate header that can be met (RFC 9110 §11.6.1). */
export function parseChallenge(header = ''): Challenge | undefined {
  const bearer = /\bbearer\s+(.*)$/is.exec(header)?.[1];
  if (bearer === undefined) return /\bbasic\b/i.test(header) ? { scheme: 'basic' } : undefined;
  const realm = parameter(bearer, 'realm');
  return realm === undefined ? undefined : { scheme: 'bearer', realm, service: parameter(bearer, 'service') ?? '' };
}

function parameter(text: string, name: string): string | undefined {
  const found = new RegExp(`\\b${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]+))`, 'i').exec(text);
  return found?.[1]?.replace(/\\(.)/g, '$1') ?? found?.[2];
}

/** What is asked for: `repository:team/app:pull,push`. */
export type Scope = string;

/** The Authorization header that meets a challenge; undefined when nobody in particular is all that we are. */
export async function meetChallenge(
  challenge: Challenge,
  credential: Credential | undefined,
  scopes: readonly Scope[],
  reach: Reach,
): Promise<string | undefined> {
  if (challenge.scheme === 'bearer') return `Bearer ${await fetchToken(challenge, credential, scopes, reach)}`;
  return credential && 'username' in credential ? basic(credential) : undefined;
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Source: distribution's token and OAuth 2 specifications. The credential goes to the registry's `realm`, as everywhere. */
async function fetchToken(
  { realm, service }: Extract<Challenge, { scheme: 'bearer' }>,
  credential: Credential | undefined,
  scopes: readonly Scope[],
  reach: Reach,
): Promise<string> {
  const url = URL.parse(realm);
  if (!url) throw new RegistryError('not_a_registry', `${JSON.stringify(realm)} is no address to get a token at`);
  const answer = await exchange(tokenRequest(url, service, credential, scopes), reach);
  const body = await readBody(answer, answerBytes, reach.signal);
  if (answer.status === 429 || answer.status >= 500) {
    throw new RegistryError('busy', `${url.host}, which gives tokens, answers ${answer.status}`);
  }
  const token = answer.status === 200 ? tokenOf(body.toString()) : undefined;
  if (token !== undefined) return token;
  throw new RegistryError('unauthorized', `${url.host} gives no token (${answer.status})`, {
    hint: 'Check the credentials of this registry in REGISTRY_AUTH_FILE or ~/.docker/config.json.',
  });
}

function tokenRequest(
  url: URL,
  service: string,
  credential: Credential | undefined,
  scopes: readonly Scope[],
): Parameters<typeof exchange>[0] {
  if (credential && 'identityToken' in credential) {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'sluice', service });
    form.set('scope', scopes.join(' '));
    form.set('refresh_token', credential.identityToken);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { method: 'POST', url, headers, body: form.toString() };
  }
  const asked = new URL(url);
  if (service !== '') asked.searchParams.set('service', service);
  for (const scope of scopes) asked.searchParams.append('scope', scope);
  return { method: 'GET', url: asked, authorization: credential && basic(credential) };
}

/** Only what can stand in a header. */
function tokenOf(text: string): string | undefined {
  try {
    const { token, access_token: accessToken } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const found = token ?? accessToken;
    return typeof found === 'string' && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
  } catch {
    return undefined;
  }
}
