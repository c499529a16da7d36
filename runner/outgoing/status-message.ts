import { hash } from 'node:crypto';
import type { Outcome } from '../model/outcome.ts';
import { reasons } from '../model/outcome.ts';
import type { Notice } from '../store/outbox.ts';
import type { ForgeName } from '../triggers/forge.ts';
import { authorizationOf, pathOf } from './forge-api.ts';
import type { ForgeApi } from './forge-api.ts';
import type { Message } from './message.ts';

export interface StatusTarget {
  readonly forge: ForgeName;
  readonly api: ForgeApi;
  readonly token: string;
  /** The page about the run. */
  readonly runUrl: string;
}

type Phase = 'queued' | 'running' | Outcome;
type Words = Readonly<Record<Phase, string>>;

/** What each forge calls a state. A run of which nothing ran has proven nothing, and is no success anywhere. */
const words: Readonly<Record<ForgeName, Words>> = {
  github: {
    queued: 'pending',
    running: 'pending',
    succeeded: 'success',
    failed: 'failure',
    errored: 'error',
    cancelled: 'error',
    skipped: 'error',
  },
  gitlab: {
    queued: 'pending',
    running: 'running',
    succeeded: 'success',
    failed: 'failed',
    errored: 'failed',
    cancelled: 'canceled',
    skipped: 'skipped',
  },
  gitea: {
    queued: 'pending',
    running: 'pending',
    succeeded: 'success',
    failed: 'failure',
    errored: 'error',
    cancelled: 'error',
    skipped: 'error',
  },
  bitbucket: {
    queued: 'INPROGRESS',
    running: 'INPROGRESS',
    succeeded: 'SUCCESSFUL',
    failed: 'FAILED',
    errored: 'FAILED',
    cancelled: 'STOPPED',
    skipped: 'STOPPED',
  },
};

/** Characters; GitHub takes no more than 140, GitLab and Bitbucket 255. */
const descriptionLength = 140;
/** Characters of a key on Bitbucket. */
const keyLength = 40;

/**
 * The request that sets the commit status `sluice/PIPELINE`. Sources: https://docs.github.com/rest/commits/statuses,
 * https://docs.gitlab.com/api/commits/, https://docs.gitea.com/api, https://developer.atlassian.com/cloud/bitbucket/rest/
 */
export function statusMessage(notice: Notice, { forge, api, token, runUrl }: StatusTarget): Message {
  const commit = encodeURIComponent(notice.run.commit);
  const phase = phaseOf(notice);
  const [state, description, context] = [words[forge][phase], describe(notice, phase), contextOf(notice)];
  const target = { state, description, target_url: runUrl };
  const repository = pathOf(forge, api);
  const authorization = authorizationOf(forge, token);
  switch (forge) {
    case 'github':
    case 'gitea': {
      const body = { ...target, context };
      return message(`${api.url}/repos/${repository}/statuses/${commit}`, authorization, body);
    }
    case 'gitlab': {
      const url = `${api.url}/projects/${repository}/statuses/${commit}`;
      return message(url, authorization, { ...target, name: context });
    }
    case 'bitbucket': {
      const key = context.length <= keyLength ? context : hash('sha1', context);
      const url = `${api.url}/repositories/${repository}/commit/${commit}/statuses/build`;
      return message(url, authorization, { key, name: context, state, description, url: runUrl });
    }
  }
}

function phaseOf({ state, run }: Notice): Phase {
  return state === 'finished' ? (run.outcome ?? 'errored') : state;
}

/** Before the pipeline was read it has no name: the file stands for it. */
function contextOf({ run }: Notice): string {
  return run.pipeline === '' ? 'sluice' : `sluice/${run.pipeline}`;
}

function describe({ run }: Notice, phase: Phase): string {
  const reason = Object.entries(reasons).find(([name]) => name === run.reason)?.[1].hint;
  const sentence =
    reason === undefined || phase === 'succeeded' ? `The run ${spoken[phase]}.` : `${title[phase]}: ${reason}`;
  return sentence.length <= descriptionLength ? sentence : `${sentence.slice(0, descriptionLength - 1)}…`;
}

const spoken: Words = {
  queued: 'is queued',
  running: 'is under way',
  succeeded: 'succeeded',
  failed: 'failed',
  errored: 'could not be carried out',
  cancelled: 'was cancelled',
  skipped: 'was skipped',
};

const title: Words = {
  queued: 'Queued',
  running: 'Under way',
  succeeded: 'Succeeded',
  failed: 'Failed',
  errored: 'Could not be carried out',
  cancelled: 'Cancelled',
  skipped: 'Skipped',
};

function message(url: string, authorization: string, body: object): Message {
  return {
    url,
    headers: { authorization, 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'sluice' },
    body: JSON.stringify(body),
  };
}
