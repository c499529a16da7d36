import type { Forge, ForgeRepository, Trigger } from './forge.ts';
import type { Field } from './payload.ts';
import { ignored, pullRequest, readDelivery, triggered } from './read-delivery.ts';
import { isNoCommit, readFullRef } from './ref.ts';
import { equalSecrets, genuine, header, refused } from './signature.ts';
import { isSigningSecret, judgeMessage } from './standard-webhooks.ts';

const names = { event: ['x-gitlab-event'], id: ['idempotency-key', 'webhook-id', 'x-gitlab-event-uuid'] };

/** Source: https://docs.gitlab.com/user/project/integrations/webhooks/ */
export const gitlab: Forge = {
  /** A secret of the form `whsec_…` is a signing token, and then nothing but a signature is good enough. */
  verify(headers, body, secret = '', now) {
    if (secret === '') return refused('no secret is configured');
    if (isSigningSecret(secret)) return judgeMessage(headers, body, secret, now);
    const token = header(headers, 'x-gitlab-token');
    if (token === undefined) return refused('there is no token; the hook has no secret');
    return equalSecrets(token, secret) ? genuine : refused('the token is wrong');
  },

  read: (headers, body) =>
    readDelivery(headers, body, names, (event, payload) => {
      // A hook of the whole instance names the event in the body only.
      const kind = event === 'System Hook' ? payload.get('object_kind').title() : event;
      switch (kind) {
        case 'Push Hook':
        case 'push':
        case 'Tag Push Hook':
        case 'tag_push':
          return readPush(payload);
        case 'Merge Request Hook':
        case 'merge_request':
          return readMergeRequest(payload);
        default:
          return ignored.event(kind);
      }
    }),
};

function readPush(payload: Field) {
  const after = payload.get('after').commit();
  const named = readFullRef(payload.get('ref').refName());
  if (isNoCommit(after)) return ignored.refDeleted;
  if (!named) return ignored.otherRef;
  const checkout = payload.get('checkout_sha');
  // `after` of an annotated tag is the tag's own object.
  const commit = checkout.isAbsent ? after : checkout.commit();
  const sender = { id: payload.get('user_id').numericId(), name: payload.get('user_username').title() };
  return triggered({
    event: 'push',
    ...named,
    commit,
    before: payload.get('before').previousCommit(),
    actor: sender.name,
    sender,
    repository: readProject(payload.get('project')),
    title: titleOf(payload.get('commits'), commit),
  });
}

function readMergeRequest(payload: Field) {
  const merge = payload.get('object_attributes');
  const action = merge.get('action').title();
  if (action === 'close' || action === 'merge') return ignored.closed(action, merge.get('iid').positive());
  if (!changesCode(action, merge.get('oldrev'))) return ignored.action(action);
  const number = merge.get('iid').positive();
  const repository = readProject(payload.get('project'));
  const user = payload.get('user');
  const sender: Trigger['sender'] = { id: user.get('id').numericId(), name: user.get('username').title() };
  return triggered({
    event: 'pull_request',
    ref: `refs/merge-requests/${number}/head`,
    branch: merge.get('source_branch').refName(),
    tag: '',
    commit: merge.get('last_commit', 'id').commit(),
    before: '',
    actor: sender.name,
    sender,
    repository,
    title: merge.get('title').title(),
    pullRequest: pullRequest(
      {
        number,
        base: merge.get('target_branch').refName(),
        baseSha: '',
        headRepositoryId: merge.get('source_project_id').numericId(),
      },
      repository,
      merge.get('target_project_id').numericId(),
      { sender },
    ),
  });
}

/** An update without the revision before it has changed only words, labels or people. */
function changesCode(action: string, oldRevision: Field): boolean {
  return action === 'open' || action === 'reopen' || (action === 'update' && !oldRevision.isAbsent);
}

function readProject(project: Field): ForgeRepository {
  return {
    id: String(project.get('id').positive()),
    fullName: project.get('path_with_namespace').text(),
    cloneUrl: project.get('git_http_url').url(),
    htmlUrl: project.get('web_url').url(),
  };
}

function titleOf(commits: Field, commit: string): string {
  if (commits.isAbsent) return '';
  const found = commits.list().find((one) => one.get('id').title() === commit);
  return found?.get('message').title() ?? '';
}
