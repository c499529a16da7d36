import type { CoreEvent, Job } from '../../cluster/objects.ts';
import { verdictOf } from '../../model/outcome.ts';
import type { Verdict } from '../../model/outcome.ts';
import { agentContainer, statusOf, terminatedOf } from './explain/attempt-view.ts';
import { endInWords } from './explain/container-end.ts';
import { evidenceOf } from './explain/evidence.ts';
import { endVerdict } from './explain/end-verdict.ts';
import type { AttemptEnd } from './explain/end-verdict.ts';
import { waitingReason } from './explain/waiting-reason.ts';
import type { WaitingReason } from './explain/waiting-reason.ts';
import { containers } from './job-spec.ts';
import type { AttemptView, KubeletWord } from './next-move.ts';
import type { KnownPod } from './pod-book.ts';
import type { PodService } from './pod-services.ts';

export interface SeenPod {
  readonly job: Job | undefined;
  readonly known: KnownPod | undefined;
  readonly podUid: string | undefined;
  /** All pods were seen once: one that is not known is not there. */
  readonly isComplete: boolean;
  readonly events: readonly CoreEvent[];
  readonly now: number;
  readonly patienceMs: number;
  /** How long the attempt may wait for room. */
  readonly placeMs: number;
  readonly services: readonly PodService[];
}

export interface PodFacts extends Pick<AttemptView, 'kubelet' | 'agentLost' | 'hopeless' | 'unready'> {
  readonly waiting: WaitingReason | undefined;
  readonly evidence: readonly string[];
}

/** What the cluster's objects say of an attempt, in the words by which it is decided. */
export function podFacts({ known, isComplete, patienceMs, placeMs, services, ...seen }: SeenPod): PodFacts {
  const view = { ...seen, pod: known?.pod, podGone: known?.gone === true };
  const end = known !== undefined || isComplete ? endVerdict(view) : undefined;
  const waiting = end === undefined ? waitingReason(view, patienceMs) : undefined;
  return {
    kubelet: end && kubeletWord(end, view.podGone || known === undefined),
    agentLost: agentLost(known),
    hopeless: waiting && (waiting.final || seen.now - waiting.since >= placeMs) ? hopelessness(waiting) : undefined,
    unready: services.filter((service) => !isReady(service, known)).map(({ name }) => name),
    waiting,
    evidence: evidenceOf(view),
  };
}

/**
 * The first verdict stands: later versions of a pod have lost what an earlier one told (when its deletion was asked for, say),
 * and must never turn what was not green into green. What is new is only that more of it has ended.
 */
export function lastingWord(first: KubeletWord | undefined, now: KubeletWord | undefined): KubeletWord | undefined {
  if (first === undefined || now === undefined) return first ?? now;
  return { ...now, verdict: first.verdict, ended: first.ended || now.ended, gone: first.gone || now.gone };
}

function hopelessness({ reason, message }: WaitingReason): Verdict {
  return verdictOf(reason, message);
}

function kubeletWord({ verdict, exitCode, signal }: AttemptEnd, gone: boolean): KubeletWord {
  if (exitCode === undefined) return { verdict, ended: false, gone };
  return { verdict, ended: true, gone, ...(signal === undefined ? { exitCode } : { signal, exitCode }) };
}

/** By the kubelet's word on the service's own command; those without one the agent asks in their protocol. */
function isReady({ name, ready }: PodService, known: KnownPod | undefined): boolean {
  return ready === undefined || statusOf(known?.pod, containers.service(name))?.ready === true;
}

/** An agent that ended before it was let go has taken what it held with it. */
function agentLost(known: KnownPod | undefined): AttemptView['agentLost'] {
  const end = terminatedOf(known?.pod, agentContainer);
  return end && verdictOf('agent_failed', `the agent ${endInWords(end)}`);
}
