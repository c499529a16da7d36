import type { AgentState, Collected } from '../../agent/protocol.ts';
import { verdictOf } from '../../model/outcome.ts';
import type { Verdict } from '../../model/outcome.ts';
import type { StopReason } from '../executor.ts';

/** What the kubelet says of the command's container, once it has ended; `verdict` is green only with proof. */
export interface KubeletWord {
  readonly verdict: Verdict;
  readonly exitCode?: number;
  readonly signal?: string;
  /** The container of the command has ended. */
  readonly ended: boolean;
  /** Nothing of the pod answers any more: no log and no file can come. */
  readonly gone: boolean;
}

/** All that is known of an attempt at one moment. Times are ms of the runner's clock. */
export interface AttemptView {
  readonly now: number;
  /** Undefined until the agent was heard. */
  readonly agent: AgentState | undefined;
  readonly kubelet: KubeletWord | undefined;
  /** Why the agent cannot work any more, although it has not said its last word. */
  readonly agentLost: Verdict | undefined;
  /** Why the pod does not run yet, when waiting longer is pointless. */
  readonly hopeless: Verdict | undefined;
  readonly stop: StopReason | undefined;
  /** Services that have a command of their own to tell, and whose command has not ended with 0 yet. */
  readonly unready: readonly string[];
  /** When the agent was heard first. */
  readonly heardAt: number | undefined;
  /** The go was given: the command may have begun. */
  readonly released: boolean;
  /** When the agent was asked to stop the command, or the pod was deleted for want of an answer. */
  readonly askedToStopAt: number | undefined;
  readonly askedToCollect: boolean;
  readonly killedAt: number | undefined;
  /** When the agent had delivered everything. */
  readonly collectedAt: number | undefined;
}

export interface Patience {
  /** Between TERM and KILL. */
  readonly graceMs: number;
  /** For an answer that should have come at once. */
  readonly answerMs: number;
}

/** What to do next about an attempt. */
export type Move =
  | { readonly do: 'wait'; readonly until: number }
  | { readonly do: 'release' }
  | { readonly do: 'ask-to-stop' }
  | { readonly do: 'ask-to-collect'; readonly exitCode: number | undefined }
  /** The pod is deleted without grace. */
  | { readonly do: 'kill' }
  | { readonly do: 'finish'; readonly verdict: Verdict; readonly results: Collected | undefined };

/**
 * The life of an attempt as a function of what is known of it. Green needs three words that agree: the shell's, the
 * kubelet's on exactly this container, and the agent's that everything declared was delivered.
 */
export function nextMove(view: AttemptView, patience: Patience): Move {
  const { agent, stop, hopeless } = view;
  // An agent that works was released, be it by a runner that is gone.
  const released = view.released || (agent !== undefined && agent.phase !== 'waiting');
  if (agent?.phase === 'refused') return finish(stop === undefined ? refusal(agent) : verdictOf(stop));
  if (stop !== undefined && !released) return finish(verdictOf(stop));
  if (agent?.phase === 'collected') return whenCollected(view, agent.results, patience);
  if (view.kubelet?.gone === true || view.agentLost !== undefined) return whenLost(view);
  if (!released && view.kubelet !== undefined) return whenLost(view);
  if (view.kubelet?.ended === false && agent?.phase === 'waiting') return whenLost(view);
  // The agent may be there long before the image of the step is.
  if (hopeless !== undefined && (agent === undefined || agent.phase === 'waiting')) return finish(hopeless);
  if (stop !== undefined || isPointless(view)) return whenStopped(view, patience);
  if (agent === undefined) return wait();
  if (!released) return whenHeard(view);
  return whenContainerEnded(view) ?? wait();
}

const serviceMs = 60_000;

/** The agent is there; the services beside it may take a minute more. */
function whenHeard({ now, unready, heardAt = now }: AttemptView): Move {
  if (unready.length === 0) return { do: 'release' };
  const deadline = heardAt + serviceMs;
  if (now < deadline) return wait(deadline);
  const names = unready.map((name) => `"${name}"`).join(', ');
  return finish(
    verdictOf('service_failed', `for a minute the \`ready\` command of service ${names} did not end with 0`),
  );
}

/** The verdict is there although the command still runs: a service that it needs has ended. */
function isPointless({ agent, kubelet }: AttemptView): boolean {
  return agent?.phase === 'running' && kubelet?.ended === false;
}

/** Everything is delivered: now only the kubelet's word is missing. */
function whenCollected(view: AttemptView, results: Collected, { answerMs }: Patience): Move {
  const { kubelet, stop, collectedAt = view.now } = view;
  if (kubelet !== undefined) return { do: 'finish', verdict: judge(view, kubelet, results), results };
  const deadline = collectedAt + answerMs;
  if (view.now < deadline) return wait(deadline);
  const verdict = verdictOf(stop ?? 'node_lost', 'the kubelet did not say how the container ended');
  return { do: 'finish', verdict, results };
}

function judge({ stop }: AttemptView, kubelet: KubeletWord, { problem }: Collected): Verdict {
  if (stop !== undefined) return verdictOf(stop);
  if (kubelet.verdict.outcome !== 'succeeded') return kubelet.verdict;
  return problem === undefined ? kubelet.verdict : verdictOf(problem.reason, problem.message);
}

/** What a dead agent or pod held is lost, so nothing of it can be green. */
function whenLost({ kubelet, agentLost, stop }: AttemptView): Move {
  if (stop !== undefined) return finish(verdictOf(stop));
  if (kubelet !== undefined && kubelet.verdict.outcome !== 'succeeded') return finish(kubelet.verdict);
  return finish(agentLost ?? verdictOf('agent_failed', 'it ended before it had delivered the log and the files'));
}

function whenStopped(view: AttemptView, { graceMs, answerMs }: Patience): Move {
  const { now, askedToStopAt, killedAt } = view;
  if (askedToStopAt === undefined) return { do: 'ask-to-stop' };
  const ended = whenContainerEnded(view);
  if (ended !== undefined) return ended;
  const deadline = askedToStopAt + graceMs + answerMs;
  if (now < deadline) return wait(deadline);
  return killedAt === undefined ? { do: 'kill' } : wait(now + answerMs);
}

/** The container is gone without the shell's own word: killed, or out of memory. */
function whenContainerEnded({ agent, kubelet, askedToCollect }: AttemptView): Move | undefined {
  const works = agent?.phase === 'waiting' || agent?.phase === 'running';
  if (!works || kubelet?.ended !== true || askedToCollect) return undefined;
  return { do: 'ask-to-collect', exitCode: kubelet.exitCode };
}

function refusal({ reason, message }: Extract<AgentState, { phase: 'refused' }>): Verdict {
  return verdictOf(reason, message);
}

function finish(verdict: Verdict): Move {
  return { do: 'finish', verdict, results: undefined };
}

function wait(until = Infinity): Move {
  return { do: 'wait', until };
}
