import { randomUUID } from 'node:crypto';
import type { TriggerEvent } from '../model/run-request.ts';
import type { Delivery, Repository } from '../store/intake.ts';
import { changeOf, headOf } from './change-of.ts';
import { isNoCommit, readAnyRef } from './ref.ts';
import { submitRun } from './submit-run.ts';
import type { SubmissionDependencies } from './submit-run.ts';

/** A ref that moved, as a post-receive hook is told of it. Zeros stand for a ref that is not there. */
export interface Push {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly actor: string;
}

/** Takes what a bridge tells of a push; the same push that comes by a webhook too is run once. */
export function announcePush(
  dependencies: SubmissionDependencies,
  repository: Repository,
  push: Push,
  id: string,
): Promise<Delivery> {
  if (isNoCommit(push.after)) return ignore(dependencies, repository, id, 'The ref was deleted.');
  const trigger: TriggerEvent = { event: 'push', ...readAnyRef(push.ref), commit: push.after, actor: push.actor };
  const before = isNoCommit(push.before) ? '' : push.before;
  const head = headOf(trigger);
  const change = changeOf({ ...trigger, before });
  return submitRun(dependencies, {
    ...{ repository, trigger, id, by: 'bridge', change },
    ...(head !== undefined && { head }),
  });
}

function ignore(
  { intake, clock }: SubmissionDependencies,
  { id: repositoryId }: Repository,
  forgeId: string,
  reason: string,
): Promise<Delivery> {
  const id = randomUUID();
  return intake.deliver({
    delivery: { id, repositoryId, forgeId, event: 'bridge', receivedAt: clock(), reason, payload: '' },
    boundTo: '',
  });
}
