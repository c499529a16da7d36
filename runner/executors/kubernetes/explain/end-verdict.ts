import { verdictOf } from '../../../model/outcome.ts';
import type { Verdict } from '../../../model/outcome.ts';
import type { Job, Pod, TerminatedState } from '../../../cluster/objects.ts';
import { statusOf, stepContainer, terminatedOf, trueCondition } from './attempt-view.ts';
import type { AttemptView } from './attempt-view.ts';
import { containerInterruptions } from './container-interruptions.ts';
import { stepVerdict } from './container-end.ts';
import { evidenceOf } from './evidence.ts';
import type { Interruption } from './interruption.ts';
import { signalOf } from './linux-signals.ts';
import { podInterruptions } from './pod-interruptions.ts';
import { millis } from './times.ts';
import { waitingReason } from './waiting-reason.ts';

/** How an attempt ended, by what the cluster shows. */
export interface AttemptEnd {
  readonly verdict: Verdict;
  /** What the cluster shows for it, in its own words, each on one line. */
  readonly evidence: readonly string[];
  /**
   * Whether the step can do nothing any more. Not so when its node is lost: what runs there may go on, and the next
   * attempt has to wait until the pod is removed.
   */
  readonly stopped: boolean;
  /** From the kubelet, when it reported the end of the step's container. */
  readonly exitCode?: number;
  readonly signal?: string;
  readonly startedAt?: number;
  readonly finishedAt?: number;
}

/** A node that has not confirmed a deletion this long after it was due will hardly do so. */
const stuckAfterMs = 60_000;

/** How far the clocks of node and control plane may differ before an exit code 0 is taken for earlier than a disruption. */
const clockSkewMs = 2_000;

/**
 * How the attempt ended, or undefined while it has not. Of several views of one attempt the first verdict counts: later
 * versions of a pod may have lost what an earlier one told, and never turn what was not green into green.
 *
 * An end from outside wins unless the step had provably ended before it. So an exit code of 0 that answers the SIGTERM of
 * an eviction is `evicted`, and an exit code that was there before the eviction stands.
 */
export function endVerdict(view: AttemptView): AttemptEnd | undefined {
  const { pod } = view;
  if (pod === undefined) return endWithoutPod(view);
  if (view.podUid !== undefined && pod.metadata.uid !== view.podUid) {
    return ended(view, verdictOf('pod_deleted', 'another pod has taken the place of the one on record'));
  }
  const step = terminatedOf(pod, stepContainer);
  const cause = firstCause(view, pod, step);
  if (cause !== undefined) {
    if (step === undefined && !isOver(view, pod, cause)) return undefined;
    return ended(view, causeVerdict(view, cause), step);
  }
  if (step !== undefined) return ended(view, stepVerdict(step, pod), step);
  return isTerminal(pod)
    ? ended(view, verdictOf('node_lost', `the pod is ${pod.status?.phase ?? ''}, and nobody says how the step ended`))
    : undefined;
}

/** The earliest of the interruptions that the end of the step does not disprove. */
function firstCause(view: AttemptView, pod: Pod, step: TerminatedState | undefined): Interruption | undefined {
  const fromCluster = podInterruptions(view, pod);
  const counting = [...fromCluster, ...containerInterruptions(pod)].filter((candidate) => counts(candidate, step));
  // A deletion of unknown time is the work of whatever else the cluster did; alone it comes before all containers' ends.
  const known = fromCluster.map(({ at }) => at).filter((at) => at !== undefined);
  const unknown = known.length === 0 ? -Infinity : Math.min(...known);
  return counting.toSorted((a, b) => (a.at ?? unknown) - (b.at ?? unknown) || 0)[0];
}

function counts({ at, clock, countsInTie }: Interruption, step: TerminatedState | undefined): boolean {
  const finishedAt = millis(step?.finishedAt);
  if (at === undefined || finishedAt === undefined) return true;
  const latest = finishedAt + (step?.exitCode === 0 && clock === 'cluster' ? clockSkewMs : 0);
  return at < latest || (countsInTie && at === latest);
}

/** An attempt whose step never began is told what it waited for until the deadline. */
function causeVerdict(view: AttemptView, { reason, message }: Interruption): Verdict {
  const waiting = reason === 'deadline' && !began(view.pod) ? waitingReason(view, 0) : undefined;
  return waiting === undefined
    ? verdictOf(reason, message)
    : verdictOf(waiting.reason, `${waiting.message}; so it waited until the deadline of its Job`);
}

function began(pod: Pod | undefined): boolean {
  const state = statusOf(pod, stepContainer)?.state;
  return state?.running !== undefined || state?.terminated !== undefined;
}

/** Whether an interruption has done its work although the kubelet says nothing of the step's end. */
function isOver({ now, podGone }: AttemptView, pod: Pod, cause: Interruption): boolean {
  if (podGone === true || isTerminal(pod)) return true;
  if (cause.reason === 'agent_failed' || cause.reason === 'service_failed') return true;
  const due = millis(pod.metadata.deletionTimestamp);
  return due !== undefined && now >= due + stuckAfterMs;
}

function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
}

/** Green is impossible here: the pod alone can prove it. */
function endWithoutPod(view: AttemptView): AttemptEnd | undefined {
  const verdict = verdictWithoutPod(view);
  return verdict && ended(view, verdict);
}

function verdictWithoutPod(view: AttemptView): Verdict | undefined {
  const { job, podUid } = view;
  if (job === undefined) return verdictOf('pod_deleted', 'the Job of the attempt is gone');
  if (job.metadata.deletionTimestamp) return verdictOf('pod_deleted', 'the Job of the attempt was deleted');
  const failed = trueCondition(job, 'Failed');
  if (failed?.reason === 'DeadlineExceeded') {
    const waiting = podUid === undefined ? waitingReason(view, 0) : undefined;
    return waiting === undefined
      ? verdictOf('deadline', failed.message)
      : verdictOf(waiting.reason, `${waiting.message}; so it waited until the deadline of its Job`);
  }
  if (podUid !== undefined) return verdictOf('pod_deleted', 'the pod on record is gone');
  return isFinished(job) ? verdictOf('pod_deleted', 'the Job is finished, and its pod was never seen') : undefined;
}

function isFinished(job: Job): boolean {
  return trueCondition(job, 'Failed') !== undefined || trueCondition(job, 'Complete') !== undefined;
}

function ended(view: AttemptView, verdict: Verdict, step?: TerminatedState): AttemptEnd {
  const stopped = step !== undefined || !began(view.pod);
  return { verdict, evidence: evidenceOf(view), stopped, ...(step === undefined ? {} : facts(step)) };
}

function facts({ exitCode, startedAt, finishedAt }: TerminatedState): Partial<AttemptEnd> {
  const [signal, begin, end] = [signalOf(exitCode), millis(startedAt), millis(finishedAt)];
  return {
    exitCode,
    ...(signal === undefined ? {} : { signal }),
    ...(begin === undefined ? {} : { startedAt: begin }),
    ...(end === undefined ? {} : { finishedAt: end }),
  };
}
