import { createHash } from 'node:crypto';
import type { TriggerEvent } from '../model/run-request.ts';

/** The same for the same change of code, whoever announces it and how often. A branch that comes back to a commit is another. */
export function changeOf({
  event,
  ref,
  commit,
  before,
  pullRequest,
}: Pick<TriggerEvent, 'event' | 'ref' | 'commit' | 'pullRequest'> & { readonly before: string }): string {
  return digest([event, ref, commit, before, pullRequest?.number ?? '', pullRequest?.base ?? '']);
}

/** Names where a push left a ref, or where the head of a pull request is, for `NewDelivery.head`. */
export function headOf({ event, ref, commit }: Pick<TriggerEvent, 'event' | 'ref' | 'commit'>): string | undefined {
  return event === 'push' || event === 'pull_request' ? digest([ref, commit]) : undefined;
}

function digest(facts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}
