import type { ForgeName } from '../triggers/forge.ts';

/** Where a forge takes commit statuses of a repository. */
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
