import type { ForgeRepository, Trigger } from './forge.ts';
import type { Field } from './payload.ts';
import { ignored, pullRequest, triggered } from './read-delivery.ts';
import { isNoCommit, readFullRef } from './ref.ts';

// GitHub's payloads, which Gitea and Forgejo write too.

/** GitHub Enterprise lists 20 commits at most, github.com 2,048. */
const listedCommits = 20;
/** Source: https://docs.github.com/webhooks/webhook-events-and-payloads#push */
const listedFiles = 3_000;

function readPush(payload: Field) {
  const after = payload.get('after').commit();
  const named = readFullRef(payload.get('ref').refName());
  if (isNoCommit(after)) return ignored.refDeleted;
  if (!named) return ignored.otherRef;
  const head = payload.get('head_commit');
  const sender = readSender(payload.get('sender'));
  const changedPaths = readChangedPaths(payload);
  return triggered({
    event: 'push',
    ...named,
    // What an annotated tag points to is an object of its own; the head commit is what that one points to.
    commit: named.tag === '' || head.isAbsent ? after : head.get('id').commit(),
    before: payload.get('before').previousCommit(),
    actor: sender.name,
    sender,
    repository: readRepository(payload.get('repository')),
    title: head.get('message').title(),
    ...(changedPaths && { changedPaths }),
  });
}

/** `actions` are those of a pull request after which its head is another one. */
export function readEvent(event: string, payload: Field, actions: ReadonlySet<string>) {
  switch (event) {
    case 'push':
      return readPush(payload);
    case 'pull_request':
      return readPullRequest(payload, actions);
    case 'create':
      return ignored.coveredByPush;
    case 'delete':
      return ignored.refDeleted;
    default:
      return ignored.event(event);
  }
}

function readPullRequest(payload: Field, actions: ReadonlySet<string>) {
  const action = payload.get('action').text();
  if (action === 'closed') return ignored.closed(action, payload.get('number').positive());
  if (!actions.has(action)) return ignored.action(action);
  const [pull, number] = [payload.get('pull_request'), payload.get('number').positive()];
  const [head, base] = [pull.get('head'), pull.get('base')];
  const commits = pull.get('commits');
  if (!commits.isAbsent && commits.count() === 0) return ignored.noCommits;
  const repository = readRepository(payload.get('repository'));
  const sender = readSender(payload.get('sender'));
  return triggered({
    event: 'pull_request',
    ref: `refs/pull/${number}/head`,
    branch: head.get('ref').refName(),
    tag: '',
    commit: head.get('sha').commit(),
    before: '',
    actor: sender.name,
    sender,
    repository,
    title: pull.get('title').title(),
    pullRequest: pullRequest(
      {
        number,
        base: base.get('ref').refName(),
        baseSha: base.get('sha').previousCommit(),
        headRepositoryId: head.get('repo', 'id').numericId(),
      },
      repository,
      base.get('repo', 'id').numericId(),
      { sender, insider: mayWrite(pull.get('author_association')) },
    ),
  });
}

/** Contributors had a change taken, and may not write. Source: https://docs.github.com/graphql/reference/enums#commentauthorassociation */
const writers: ReadonlySet<string> = new Set(['OWNER', 'MEMBER', 'COLLABORATOR']);

/** Gitea says nothing of it. */
function mayWrite(association: Field): boolean {
  return association.isAbsent || writers.has(association.text());
}

function readRepository(repository: Field): ForgeRepository {
  return {
    id: String(repository.get('id').positive()),
    fullName: repository.get('full_name').text(),
    cloneUrl: repository.get('clone_url').url(),
    htmlUrl: repository.get('html_url').url(),
  };
}

function readSender(sender: Field): Trigger['sender'] {
  return { id: sender.get('id').numericId(), name: sender.get('login').title() };
}

/** Undefined unless every commit is listed and none was taken away; Gitea does not say whether a push was forced. */
function readChangedPaths(payload: Field): readonly string[] | undefined {
  const [forced, created, list] = [payload.get('forced'), payload.get('created'), payload.get('commits')];
  if (forced.isAbsent || created.isAbsent || list.isAbsent || forced.flag() || created.flag()) return undefined;
  const commits = list.list();
  const lists = commits.flatMap((commit) => ['added', 'removed', 'modified'].map((change) => commit.get(change)));
  if (commits.length === 0 || commits.length >= listedCommits || lists.some((one) => one.isAbsent)) return undefined;
  const paths = lists.flatMap((one) => one.list()).map((path) => path.path());
  return paths.length < listedFiles ? [...new Set(paths)] : undefined;
}
