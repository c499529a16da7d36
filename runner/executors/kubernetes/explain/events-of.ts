import type { CoreEvent, Job, Pod } from '../../../cluster/objects.ts';
import { firstSeen, lastSeen } from './times.ts';

/** The newest event, and since when its reason has been seen. */
export interface Noticed {
  readonly text: string;
  readonly since: number;
}

/**
 * What the events of an object say under some reasons, newest last. The order in which events arrive and how often each
 * is repeated make no difference.
 */
export function noticed(
  events: readonly CoreEvent[],
  object: Job | Pod | undefined,
  reasons: readonly string[],
): Noticed | undefined {
  const matching = eventsOf(events, object)
    .filter(({ reason }) => reason !== undefined && reasons.includes(reason))
    .toSorted(byTime);
  const newest = matching.at(-1);
  if (newest === undefined) return undefined;
  return { text: newest.message ?? '', since: Math.min(...matching.map(firstSeen)) };
}

/** Warnings about an object as `Reason: words`, oldest first, each once. */
export function warningsOf(events: readonly CoreEvent[], object: Job | Pod | undefined): readonly string[] {
  const warnings = eventsOf(events, object).filter(({ type }) => type === 'Warning');
  return [...new Set(warnings.toSorted(byTime).map(({ reason, message }) => `${reason ?? ''}: ${message ?? ''}`))];
}

function eventsOf(events: readonly CoreEvent[], object: Job | Pod | undefined): readonly CoreEvent[] {
  const uid = object?.metadata.uid;
  return uid === undefined ? [] : events.filter(({ involvedObject }) => involvedObject.uid === uid);
}

/** Events of one second are ordered by their words, so that the answer does not depend on their order of arrival. */
function byTime(a: CoreEvent, b: CoreEvent): number {
  return lastSeen(a) - lastSeen(b) || compare(a.message ?? '', b.message ?? '');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
