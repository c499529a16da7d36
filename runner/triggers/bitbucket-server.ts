import type { ForgeRepository, Trigger } from './forge.ts';
import type { Field } from './payload.ts';
import { ignored, pullRequest, triggered } from './read-delivery.ts';
import { readFullRef } from './ref.ts';

export function readServerPush(payload: Field) {
  const changes = payload.get('changes').list();
  if (changes.length === 0) return ignored.nothingPushed;
  const sender = readActor(payload.get('actor'));
  const common = {
    event: 'push',
    actor: sender.name,
    sender,
    repository: readRepository(payload.get('repository')),
  } as const;
  const kept = changes.filter((change) => change.get('type').text() !== 'DELETE');
  const triggers = kept.flatMap((change): readonly Trigger[] => {
    const named = readFullRef(change.get('ref', 'id').refName());
    if (!named) return [];
    const before = change.get('fromHash').previousCommit();
    return [{ ...common, ...named, commit: change.get('toHash').commit(), before, title: '' }];
  });
  if (triggers.length > 0) return triggered(...triggers);
  return kept.length === 0 ? ignored.refDeleted : ignored.otherRef;
}

export function readServerPullRequest(payload: Field) {
  const pull = payload.get('pullRequest');
  const number = pull.get('id').positive();
  const [head, base] = [pull.get('fromRef'), pull.get('toRef')];
  const repository = readRepository(base.get('repository'));
  const sender = readActor(payload.get('actor'));
  return triggered({
    event: 'pull_request',
    ref: `refs/pull-requests/${number}/from`,
    branch: head.get('displayId').refName(),
    tag: '',
    commit: head.get('latestCommit').commit(),
    before: '',
    actor: sender.name,
    sender,
    repository,
    title: pull.get('title').title(),
    pullRequest: pullRequest(
      {
        number,
        base: base.get('displayId').refName(),
        baseSha: base.get('latestCommit').previousCommit(),
        headRepositoryId: head.get('repository', 'id').numericId(),
      },
      repository,
      repository.id,
      { sender },
    ),
  });
}

function readRepository(repository: Field): ForgeRepository {
  return {
    id: String(repository.get('id').positive()),
    fullName: `${repository.get('project', 'key').text()}/${repository.get('slug').text()}`,
    cloneUrl: '',
    htmlUrl: '',
  };
}

function readActor(actor: Field): Trigger['sender'] {
  return { id: actor.get('id').numericId(), name: actor.get('name').title() };
}
