import type { Reason } from '../../../model/outcome.ts';
import type { Condition, Job, Pod } from '../../../cluster/objects.ts';
import { stepContainer, terminatedOf, trueCondition } from './attempt-view.ts';
import type { AttemptView } from './attempt-view.ts';
import { noticed } from './events-of.ts';
import type { Interruption } from './interruption.ts';
import { shorten } from './shorten.ts';
import { millis } from './times.ts';

/** Reasons in the pod's own status. The kubelet writes most of them, the node controller `NodeLost`. */
const statusReasons: Readonly<Record<string, Reason>> = {
  Evicted: 'evicted',
  Preempting: 'preempted',
  Terminated: 'node_shutdown',
  NodeShutdown: 'node_shutdown',
  Shutdown: 'node_shutdown',
  NodeLost: 'node_lost',
  DeadlineExceeded: 'deadline',
};

/** Reasons of the condition `DisruptionTarget`, and what they mean. */
const disruptions: Readonly<Record<string, readonly [Reason, string]>> = {
  PreemptionByScheduler: ['preempted', 'the scheduler gave its place to a pod of higher priority'],
  EvictionByEvictionAPI: ['evicted', 'somebody evicted the pod, as `kubectl drain` does'],
  DeletionByPodGC: ['node_lost', 'the pod was cleaned away with its node'],
};

/**
 * An eviction for what the pod itself wrote, not for want on its node (`localStorageEviction` in the kubelet's eviction manager): the next attempt would
 * write as much.
 */
const ownLimit = /exceed(s the (total )?limit|ed its local ephemeral storage limit)/;

const cluster = { clock: 'cluster', countsInTie: true } as const;

/** What the cluster did to the pod, the best explanation first: status, disruption, deadline, deletion. */
export function podInterruptions(view: AttemptView, pod: Pod): readonly Interruption[] {
  const found = [byStatus(view, pod), byDisruption(pod), byDeadline(view.job), byDeletion(view, pod)];
  return found.filter((interruption) => interruption !== undefined);
}

function byStatus({ events }: AttemptView, pod: Pod): Interruption | undefined {
  const { reason, message = '', phase } = pod.status ?? {};
  if (reason === undefined) return undefined;
  const known = statusReasons[reason] ?? (phase === 'Failed' ? refusedByNode(pod) : undefined);
  if (known === undefined) return undefined;
  const why = known === 'evicted' && ownLimit.test(message) ? 'disk_limit' : known;
  const at =
    millis(trueCondition(pod, 'DisruptionTarget')?.lastTransitionTime) ?? noticed(events, pod, [reason])?.since;
  return { ...cluster, reason: why, message: shorten(message === '' ? reason : message), at };
}

/** A node may refuse a pod that was sent to it (`OutOfcpu`, `NodeAffinity`, …); then no container was ever made. */
function refusedByNode(pod: Pod): Reason {
  return (pod.status?.containerStatuses ?? []).length === 0 ? 'unschedulable' : 'node_lost';
}

function byDisruption(pod: Pod): Interruption | undefined {
  const condition = trueCondition(pod, 'DisruptionTarget');
  if (condition === undefined) return undefined;
  const [reason, meaning] = meaningOf(pod, condition);
  const words = condition.message ?? condition.reason ?? '';
  return { ...cluster, reason, message: shorten(`${meaning} (${words})`), at: millis(condition.lastTransitionTime) };
}

function meaningOf(pod: Pod, { reason = '', message = '' }: Condition): readonly [Reason, string] {
  if (reason === 'DeletionByTaintManager') {
    // A node that is alive reports the end of what it is told to end; a lost one says nothing more.
    return terminatedOf(pod, stepContainer)
      ? ['evicted', 'its node got a taint that the pod does not tolerate']
      : ['node_lost', 'its node got a taint that the pod does not tolerate, and says nothing more'];
  }
  if (/shutdown/i.test(message)) return ['node_shutdown', 'its node was shut down'];
  const known = disruptions[reason];
  if (known !== undefined) return known;
  return /preempt/i.test(message)
    ? ['preempted', 'a pod of higher priority took the place']
    : ['evicted', 'the pod was put out'];
}

function byDeadline(job: Job | undefined): Interruption | undefined {
  const condition = [trueCondition(job, 'FailureTarget'), trueCondition(job, 'Failed')].find(
    (candidate) => candidate?.reason === 'DeadlineExceeded',
  );
  if (condition === undefined) return undefined;
  return {
    ...cluster,
    reason: 'deadline',
    message: condition.message ?? 'the Job was active longer than its deadline',
    at: millis(condition.lastTransitionTime),
  };
}

function byDeletion({ job, podGone }: AttemptView, pod: Pod): Interruption | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
  if (!deletionTimestamp && podGone !== true) return undefined;
  const jobWent = job === undefined || Boolean(job.metadata.deletionTimestamp);
  // The kubelet sets both anew when it lets the pod go: a grace of 0 says nothing of when the deletion was asked for.
  const due = deletionGracePeriodSeconds > 0 ? millis(deletionTimestamp) : undefined;
  return {
    ...cluster,
    reason: 'pod_deleted',
    message: jobWent ? 'the Job of the attempt was deleted' : 'the pod was deleted',
    at: due === undefined ? undefined : due - deletionGracePeriodSeconds * 1_000,
  };
}
