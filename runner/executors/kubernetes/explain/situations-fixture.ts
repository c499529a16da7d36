import { readdirSync, readFileSync } from 'node:fs';
import type { Condition, CoreEvent, Job, Pod } from '../../../cluster/objects.ts';
import type { AttemptView } from './attempt-view.ts';
import { firstSeen } from './times.ts';

/** A version of the status of Job or pod, in the order in which a watch showed them. */
interface Change {
  readonly at: string;
  readonly of: 'job' | 'pod';
  readonly gone?: boolean;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly status: { readonly conditions?: readonly Condition[] };
}

/** What a cluster showed of one attempt, from its Job's creation to the end of the watch. */
interface Situation {
  readonly situation: string;
  /** The cluster that showed it, or the document from which it was written. */
  readonly source: string;
  readonly then?: string;
  readonly now: string;
  readonly job: Omit<Job, 'status'>;
  readonly pod: Omit<Pod, 'status'> | null;
  readonly events: readonly CoreEvent[];
  readonly timeline: readonly Change[];
}

const folder = new URL('fixtures/', import.meta.url);

export const situationNames: readonly string[] = readdirSync(folder)
  .map((file) => file.replace('.json', ''))
  .toSorted();

/** With the events that an executor asks for, which are warnings. */
export function situationOf(name: string): Situation {
  const situation = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Situation;
  return { ...situation, events: situation.events.filter(({ type }) => type === 'Warning') };
}

/** Everything the watch showed, one view after each change. The uid of the pod is on record from its first sight on. */
export function viewsOf(situation: Situation): readonly AttemptView[] {
  return situation.timeline.map((_, index) => viewAfter(situation, index + 1));
}

export function lastViewOf(situation: Situation): AttemptView {
  return {
    ...viewAfter(situation, situation.timeline.length),
    events: situation.events,
    now: Date.parse(situation.now),
  };
}

function viewAfter({ job, pod, events, timeline }: Situation, count: number): AttemptView {
  const shown = timeline.slice(0, count);
  const now = Date.parse(shown.at(-1)?.at ?? '');
  const [ofJob, ofPod] = [shown.findLast(({ of }) => of === 'job'), shown.findLast(({ of }) => of === 'pod')];
  return {
    job: ofJob?.gone === true ? undefined : apply(job, ofJob),
    pod: pod === null || ofPod === undefined ? undefined : apply(pod, ofPod),
    podGone: ofPod?.gone === true,
    podUid: ofPod === undefined ? undefined : pod?.metadata.uid,
    events: events.filter((event) => firstSeen(event) <= now),
    now,
  };
}

function apply<T extends Omit<Job, 'status'> | Omit<Pod, 'status'>>(object: T, change: Change | undefined): T {
  const { deletionTimestamp, deletionGracePeriodSeconds, status = {} } = change ?? {};
  const deletion = deletionTimestamp === undefined ? {} : { deletionTimestamp, deletionGracePeriodSeconds };
  return { ...object, metadata: { ...object.metadata, ...deletion }, status };
}
