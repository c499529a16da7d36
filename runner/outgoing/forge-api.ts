import type { ForgeName } from '../triggers/forge.ts';

/** Where a forge is asked about a repository, and takes its commit statuses. */
export interface ForgeApi {
  /** Without a slash at the end. */
  readonly url: string;
  /** `owner/name`; on GitLab with all groups. */
  readonly fullName: string;
}

/** The API that belongs to an address to clone from; undefined when that is no HTTP address of a repository. */
export function forgeApi(forge: ForgeName, cloneUrl: string): ForgeApi | undefined {
  const url = URL.parse(cloneUrl);
  if (!url || !/^https?:$/.test(url.protocol)) return undefined;
  const fullName = decodeURIComponent(url.pathname.replace(/^\/|\/$|\.git\/?$/g, ''));
  return fullName.includes('/') ? { url: apiUrl(forge, url), fullName } : undefined;
}

/** Hosts of the APIs that belong to addresses to clone from: those of github.com and bitbucket.org are others. */
export function apiHosts(
  repositories: readonly { readonly forge: ForgeName | 'git'; readonly cloneUrl: string }[],
): readonly string[] {
  return repositories.flatMap(({ forge, cloneUrl }) => {
    const api = forge === 'git' ? undefined : forgeApi(forge, cloneUrl);
    return api === undefined ? [] : [new URL(api.url).host];
  });
}

/** What a forge wants to be told of who asks. */
export function authorizationOf(forge: ForgeName, token: string): string {
  return forge === 'gitea' ? `token ${token}` : `Bearer ${token}`;
}

/** The full name as a part of a path. */
export function pathOf(forge: ForgeName, { fullName }: ForgeApi): string {
  return forge === 'gitlab' ? encodeURIComponent(fullName) : fullName.split('/').map(encodeURIComponent).join('/');
}

function apiUrl(forge: ForgeName, { origin, host }: URL): string {
  switch (forge) {
    case 'github':
      return host === 'github.com' ? 'https://api.github.com' : `${origin}/api/v3`;
    case 'gitlab':
      return `${origin}/api/v4`;
    case 'gitea':
      return `${origin}/api/v1`;
    case 'bitbucket':
      return host === 'bitbucket.org' ? 'https://api.bitbucket.org/2.0' : `${origin}/rest/api/latest`;
  }
}
