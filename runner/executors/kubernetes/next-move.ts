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
  /** A runner that is gone may have given the go: the agent says so or, while it was not heard, the record. */
  readonly begunBefore: boolean;
  /** When this runner took it on. */
  readonly takenAt: number;
  /** When the API server was heard last: what is known of the cluster is not newer. */
  readonly toldAt: number;
  /** When the agent was asked to stop the command, or the pod was deleted for want of an answer. */
  readonly askedToStopAt: number | undefined;
  readonly askedToCollect: boolean;
  readonly killedAt: number | undefined;
  /** The verdict that it was killed with: what is seen afterwards is our own work. */
  readonly doom: Verdict | undefined;
  /** When the agent had delivered everything. */
  readonly collectedAt: number | undefined;
  /** Output that the agent has and this runner has not: an earlier one took it along. */
  readonly lacksLog: boolean;
}

export interface Patience {
  /** Between TERM and KILL. */
  readonly graceMs: number;
  /** For an answer that should have come at once. */
  readonly answerMs: number;
  /** For an agent to find its new runner. */
  readonly returnMs: number;
  /** For a pod to be gone that was deleted, where another attempt may follow. */
  readonly removalMs: number;
}

/** What to do next about an attempt. */
export type Move =
  | { readonly do: 'wait'; readonly until: number }
  | { readonly do: 'release' }
  | { readonly do: 'ask-to-stop' }
  | { readonly do: 'ask-to-collect'; readonly exitCode: number | undefined }
  /** The pod is deleted without grace. */
  | { readonly do: 'kill'; readonly verdict: Verdict }
  | { readonly do: 'finish'; readonly verdict: Verdict; readonly results: Collected | undefined };

/**
 * The life of an attempt as a function of what is known of it. Green needs three words that agree: the shell's, the
 * kubelet's on exactly this container, and the agent's that everything declared was delivered.
 */
export function nextMove(view: AttemptView, patience: Patience): Move {
  const { agent, kubelet, stop, hopeless } = view;
  const begun = mayHaveBegun(view);
  if (agent?.phase === 'refused') return finish(stop === undefined ? refusal(agent) : verdictOf(stop));
  if (stop !== undefined && !begun) return finish(verdictOf(stop));
  if (agent?.phase === 'collected') return whenCollected(view, agent.results, patience);
  if (kubelet?.gone === true || view.agentLost !== undefined) return endWith(lossOf(view), view, patience);
  if (!begun && kubelet !== undefined) return finish(lossOf(view));
  if (kubelet?.ended === false && agent?.phase === 'waiting') return endWith(lossOf(view), view, patience);
  // The agent may be there long before the image of the step is.
  if (hopeless !== undefined && (agent === undefined || agent.phase === 'waiting'))
    return endWith(hopeless, view, patience);
  if (stop !== undefined || isPointless(view)) return whenStopped(view, patience);
  if (agent === undefined) return whenUnheard(view, patience);
  if (agent.phase === 'waiting' && !view.released) return whenHeard(view);
  return whenContainerEnded(view) ?? wait();
}

/** An agent that works was given its go, be it by a runner that is gone. */
function mayHaveBegun({ agent, released, begunBefore }: AttemptView): boolean {
  return released || begunBefore || (agent !== undefined && agent.phase !== 'waiting');
}

/** Whether the command may run at this moment, by its shell's word, the kubelet's, and what was begun. */
function mayRun(view: AttemptView): boolean {
  const { agent, kubelet } = view;
  const hasEnded = agent?.phase === 'ended' || kubelet?.ended === true || kubelet?.gone === true;
  return mayHaveBegun(view) && !hasEnded;
}

/** A command that began under a runner which is gone: its agent finds this one soon, unless the way is cut. */
function whenUnheard({ kubelet, now, takenAt }: AttemptView, { returnMs }: Patience): Move {
  if (kubelet?.ended !== true) return wait();
  const deadline = takenAt + returnMs;
  if (now < deadline) return wait(deadline);
  return finish(verdictOf('agent_failed', 'it did not reach the runner that went on with the run'));
}

const serviceMs = 60_000;
const lookMs = 1_000;

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

/** Everything is delivered: now only the kubelet's word is missing, which a silent API server keeps from us. */
function whenCollected(view: AttemptView, results: Collected, { answerMs }: Patience): Move {
  const { kubelet, stop, toldAt, now, doom, collectedAt = now } = view;
  const deadline = collectedAt + answerMs;
  if (view.lacksLog && now < deadline) return wait(deadline);
  if (kubelet !== undefined) return { do: 'finish', verdict: judge(view, kubelet, results), results };
  if (toldAt < deadline) return wait(Math.max(deadline, now + lookMs));
  const verdict = doom ?? verdictOf(stop ?? 'node_lost', 'the kubelet did not say how the container ended');
  return { do: 'finish', verdict, results };
}

function judge({ stop, doom }: AttemptView, kubelet: KubeletWord, { problem }: Collected): Verdict {
  if (doom !== undefined) return doom;
  if (stop !== undefined) return verdictOf(stop);
  if (kubelet.verdict.outcome !== 'succeeded') return kubelet.verdict;
  return problem === undefined ? kubelet.verdict : verdictOf(problem.reason, problem.message);
}

/** What a dead agent or pod held is lost, so nothing of it can be green. */
function lossOf(view: AttemptView): Verdict {
  const { kubelet, agentLost, stop } = view;
  if (stop !== undefined) return verdictOf(stop);
  // The exit code of a shell that waited for its go in vain is no word of the command, and nobody's mistake.
  const isOfCommand = mayHaveBegun(view) || kubelet?.verdict.reason !== 'exit_code';
  if (kubelet !== undefined && kubelet.verdict.outcome !== 'succeeded' && isOfCommand) return kubelet.verdict;
  return agentLost ?? verdictOf('agent_failed', 'it ended before it had delivered the log and the files');
}

/** No other attempt follows these. */
const finalStops: ReadonlySet<string> = new Set(['cancelled', 'interrupted', 'superseded', 'run_timeout']);

/**
 * Ends an attempt once its command cannot run any more, for the next one may begin at once. Only a node that answers to nobody
 * keeps a pod that was deleted; in the end nobody waits for that.
 */
function endWith(verdict: Verdict, view: AttemptView, { answerMs, removalMs }: Patience): Move {
  const { doom = verdict, killedAt, now, stop } = view;
  if (!mayRun(view)) return finish(doom);
  if (killedAt === undefined) return { do: 'kill', verdict };
  const deadline = killedAt + (stop !== undefined && finalStops.has(stop) ? answerMs : removalMs);
  return now < deadline ? wait(deadline) : finish(doom);
}

function whenStopped(view: AttemptView, patience: Patience): Move {
  const { now, askedToStopAt, kubelet, stop } = view;
  if (askedToStopAt === undefined) return { do: 'ask-to-stop' };
  const ended = whenContainerEnded(view);
  if (ended !== undefined) return ended;
  const deadline = askedToStopAt + patience.graceMs + patience.answerMs;
  if (now < deadline) return wait(deadline);
  return endWith(stop === undefined ? (kubelet?.verdict ?? verdictOf('node_lost')) : verdictOf(stop), view, patience);
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
