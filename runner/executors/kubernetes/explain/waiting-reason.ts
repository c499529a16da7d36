import type { Reason } from '../../../model/outcome.ts';
import type { Pod } from '../../../cluster/objects.ts';
import { containerStatuses, trueCondition } from './attempt-view.ts';
import type { AttemptView } from './attempt-view.ts';
import { noticed } from './events-of.ts';
import { explainRefusal } from './explain-refusal.ts';
import { explainScheduling } from './explain-scheduling.ts';
import { explainWaitingContainer } from './explain-waiting-container.ts';
import { shorten } from './shorten.ts';
import { millis } from './times.ts';
import type { Trouble } from './trouble.ts';

/** Why an attempt does not run yet. */
export interface WaitingReason {
  readonly reason: Reason;
  readonly message: string;
  /** Since when the cluster says so, in ms since 1970. */
  readonly since: number;
  /** Waiting longer is pointless: the attempt may be ended with this reason now. */
  readonly final: boolean;
}

type Since = Trouble & { readonly since: number | undefined };

/**
 * Why the attempt does not run yet, or undefined when nothing speaks against it. `patienceMs` is for faults that pass by
 * themselves (a registry that does not answer, a volume, a webhook). Want of room (quota, scheduler) is never final unless
 * there can be none: how long to wait for it is the caller's to decide, by `since`.
 */
export function waitingReason(view: AttemptView, patienceMs: number): WaitingReason | undefined {
  const trouble = view.pod === undefined ? troubleOfJob(view) : troubleOfPod(view, view.pod);
  if (trouble === undefined) return undefined;
  const { reason, message, hope } = trouble;
  const since = Math.min(trouble.since ?? createdAt(view) ?? view.now, view.now);
  return { reason, message, since, final: hope === 'none' || (hope === 'soon' && view.now - since >= patienceMs) };
}

function createdAt({ job, pod }: AttemptView): number | undefined {
  return millis((pod ?? job)?.metadata.creationTimestamp);
}

/** The Job has no pod: the Job controller's events alone tell why. */
function troubleOfJob({ job, events }: AttemptView): Since | undefined {
  const refused = noticed(events, job, ['FailedCreate']);
  if (refused) return { ...explainRefusal(refused.text), since: refused.since };
  const suspended = trueCondition(job, 'Suspended');
  if (suspended === undefined && job?.spec.suspend !== true) return undefined;
  return {
    reason: 'quota',
    message: 'the Job is suspended: a queue of the cluster holds it back',
    hope: 'later',
    since: millis(suspended?.lastTransitionTime),
  };
}

function troubleOfPod(view: AttemptView, pod: Pod): Since | undefined {
  return unscheduled(view, pod) ?? waitingContainer(view, pod) ?? unprepared(view, pod);
}

function unscheduled({ events }: AttemptView, pod: Pod): Since | undefined {
  const condition = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (condition === undefined && pod.spec.nodeName !== undefined) return undefined;
  const event = noticed(events, pod, ['FailedScheduling']);
  const words = condition?.message ?? event?.text;
  if (words === undefined) return undefined;
  const since = millis(condition?.lastTransitionTime) ?? event?.since;
  return condition?.reason === 'SchedulingGated'
    ? { reason: 'quota', message: 'a queue of the cluster holds the pod back (scheduling gate)', hope: 'later', since }
    : { ...explainScheduling(pod, words), since };
}

/** The step's own container comes first, and a trouble without hope before any other. */
function waitingContainer({ events }: AttemptView, pod: Pod): Since | undefined {
  const pulled = noticed(events, pod, ['Failed', 'InspectFailed']);
  const troubles = containerStatuses(pod)
    .toSorted((a, b) => rank(a.name) - rank(b.name))
    .map((status) => explainWaitingContainer(pod, status, pullFailure(events, pod, status.name)))
    .filter((trouble) => trouble !== undefined);
  const trouble = troubles.find(({ hope }) => hope === 'none') ?? troubles[0];
  return trouble && { ...trouble, since: pulled?.since };
}

function rank(container: string): number {
  return container === 'step' ? 0 : 1;
}

/** "Failed to pull image …: why" of one container; other events of the reason `Failed` only name the state. */
function pullFailure(events: AttemptView['events'], pod: Pod, container: string): string | undefined {
  const own = events.filter(
    ({ involvedObject, message }) =>
      involvedObject.fieldPath === `spec.containers{${container}}` && message?.startsWith('Failed to pull image'),
  );
  return noticed(own, pod, ['Failed'])?.text;
}

/** Volumes and the sandbox are told of in events only, which stay after the trouble has passed: started containers refute them. */
function unprepared({ events }: AttemptView, pod: Pod): Since | undefined {
  const statuses = containerStatuses(pod);
  if (!statuses.every(({ state }) => state?.waiting?.reason === 'ContainerCreating')) return undefined;
  const volume = noticed(events, pod, ['FailedMount', 'FailedAttachVolume', 'FailedMapVolume']);
  if (volume) return { reason: 'volume', message: volumeFault(volume.text), hope: 'soon', since: volume.since };
  const sandbox = noticed(events, pod, ['FailedCreatePodSandBox', 'FailedCreatePodSandbox']);
  if (sandbox === undefined) return undefined;
  const words = sandbox.text.replace(/^Failed to create pod sandbox: (?:rpc error: code = \w+ desc = )?/, '');
  return { reason: 'pod_setup', message: shorten(words), hope: 'soon', since: sandbox.since };
}

function volumeFault(words: string): string {
  return shorten(words.replace(/^\w+\.\w+ failed for volume "([^"]*)" : /, 'volume "$1": '));
}
