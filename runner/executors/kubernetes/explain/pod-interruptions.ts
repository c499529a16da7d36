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

const disruptions: Readonly<Record<string, Reason>> = {
  PreemptionByScheduler: 'preempted',
  EvictionByEvictionAPI: 'evicted',
  DeletionByPodGC: 'node_lost',
};

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
  const at =
    millis(trueCondition(pod, 'DisruptionTarget')?.lastTransitionTime) ?? noticed(events, pod, [reason])?.since;
  return { ...cluster, reason: known, message: shorten(message === '' ? reason : message), at };
}

/** A node may refuse a pod that was sent to it (`OutOfcpu`, `NodeAffinity`, …); then no container was ever made. */
function refusedByNode(pod: Pod): Reason {
  return (pod.status?.containerStatuses ?? []).length === 0 ? 'unschedulable' : 'node_lost';
}

function byDisruption(pod: Pod): Interruption | undefined {
  const condition = trueCondition(pod, 'DisruptionTarget');
  if (condition === undefined) return undefined;
  const { reason = '', message } = condition;
  return {
    ...cluster,
    reason: disruptionReason(pod, condition),
    message: shorten(message ?? reason),
    at: millis(condition.lastTransitionTime),
  };
}

function disruptionReason(pod: Pod, { reason = '', message = '' }: Condition): Reason {
  // A node that is alive reports the end of what it is told to end; a lost one says nothing more.
  if (reason === 'DeletionByTaintManager') return terminatedOf(pod, stepContainer) ? 'evicted' : 'node_lost';
  if (/shutdown/i.test(message)) return 'node_shutdown';
  return disruptions[reason] ?? (/preempt/i.test(message) ? 'preempted' : 'evicted');
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
