import type { ForgeRepository, Trigger } from './forge.ts';
import type { Field } from './payload.ts';
import { ignored, pullRequest, triggered } from './read-delivery.ts';
import { branchRef, tagRef } from './ref.ts';
import type { NamedRef } from './ref.ts';

export function readCloudPush(payload: Field) {
  const changes = payload.get('push', 'changes').list();
  if (changes.length === 0) return ignored.nothingPushed;
  const present = changes.map((change) => ({ old: change.get('old'), now: change.get('new') }));
  const sender = readActor(payload.get('actor'));
  const common = {
    event: 'push',
    actor: sender.name,
    sender,
    repository: readRepository(payload.get('repository')),
  } as const;
  const triggers = present.flatMap(({ old, now }): readonly Trigger[] => {
    const named = now.isAbsent ? undefined : readRef(now);
    if (!named) return [];
    const target = now.get('target');
    return [
      {
        ...common,
        ...named,
        commit: target.get('hash').commit(),
        before: old.get('target', 'hash').previousCommit(),
        title: target.get('message').title(),
      },
    ];
  });
  if (triggers.length > 0) return triggered(...triggers);
  return present.every(({ now }) => now.isAbsent) ? ignored.refDeleted : ignored.otherRef;
}

/** An update of the title alone cannot be told from one of the code. */
export function readCloudPullRequest(payload: Field) {
  const pull = payload.get('pullrequest');
  const number = pull.get('id').positive();
  const [source, destination] = [pull.get('source'), pull.get('destination')];
  const repository = readRepository(payload.get('repository'));
  const sender = readActor(payload.get('actor'));
  const branch = source.get('branch', 'name').refName();
  return triggered({
    event: 'pull_request',
    // Bitbucket Cloud has no refs of its own for pull requests.
    ...branchRef(branch),
    commit: source.get('commit', 'hash').shortCommit(),
    before: '',
    actor: sender.name,
    sender,
    repository,
    title: pull.get('title').title(),
    pullRequest: pullRequest(
      {
        number,
        base: destination.get('branch', 'name').refName(),
        baseSha: destination.get('commit', 'hash').isAbsent ? '' : destination.get('commit', 'hash').shortCommit(),
        headRepositoryId: source.get('repository', 'uuid').uuid(),
      },
      repository,
      destination.get('repository', 'uuid').uuid(),
      { sender },
    ),
  });
}

function readRef(ref: Field): NamedRef | undefined {
  const name = ref.get('name').refName();
  switch (ref.get('type').text()) {
    case 'branch':
    case 'named_branch':
      return branchRef(name);
    case 'tag':
    case 'annotated_tag':
      return tagRef(name);
    default:
      return undefined;
  }
}

function readRepository(repository: Field): ForgeRepository {
  const htmlUrl = repository.get('links', 'html', 'href').url();
  return {
    id: repository.get('uuid').uuid() || repository.get('uuid').text(),
    fullName: repository.get('full_name').text(),
    cloneUrl: htmlUrl === '' ? '' : `${htmlUrl}.git`,
    htmlUrl,
  };
}

/** Bitbucket took names out of its answers for privacy; what is left depends on the kind of account. */
function readActor(actor: Field): Trigger['sender'] {
  const names = ['username', 'nickname', 'display_name'].map((name) => actor.get(name).title());
  return { id: actor.get('uuid').uuid(), name: names.find((name) => name !== '') ?? '' };
}
