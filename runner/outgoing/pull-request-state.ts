import type { ForgeName } from '../triggers/forge.ts';
import { authorizationOf, pathOf } from './forge-api.ts';
import type { ForgeApi } from './forge-api.ts';
import type { Sender } from './sender.ts';

export interface AskedForge {
  readonly forge: ForgeName;
  readonly api: ForgeApi;
  /** May read pull requests. */
  readonly token: string;
}

const paths: Readonly<Record<ForgeName, (repository: string, number: number) => string>> = {
  github: (repository, number) => `repos/${repository}/pulls/${number}`,
  gitea: (repository, number) => `repos/${repository}/pulls/${number}`,
  gitlab: (repository, number) => `projects/${repository}/merge_requests/${number}`,
  bitbucket: (repository, number) => `repositories/${repository}/pullrequests/${number}`,
};

/** What forges call those that nothing will come of any more; there are others, such as `locked`. */
const ended: ReadonlySet<unknown> = new Set(['closed', 'merged', 'MERGED', 'DECLINED', 'SUPERSEDED']);

/**
 * Whether a pull request was closed or merged, by the word of its forge; undefined where that does not say, or does not let this token see. Sources:
 * https://docs.github.com/rest/pulls/pulls, https://docs.gitea.com/api, https://docs.gitlab.com/api/merge_requests/,
 * https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/
 */
export async function isPullRequestClosed(
  sender: Pick<Sender, 'ask'>,
  { forge, api, token }: AskedForge,
  number: number,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const url = `${api.url}/${paths[forge](pathOf(forge, api), number)}`;
  const authorization = authorizationOf(forge, token);
  if (token === '') return undefined;
  const headers = { authorization, accept: 'application/json', 'user-agent': 'sluice' };
  const text = await sender.ask({ url, headers }, signal);
  const state = text === undefined ? undefined : stateIn(text);
  return state === undefined ? undefined : ended.has(state);
}

function stateIn(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'state' in value ? value.state : undefined;
  } catch {
    return undefined;
  }
}
