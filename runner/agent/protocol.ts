import type { Reason } from '../model/outcome.ts';
import type { ArtifactEntry } from '../model/result.ts';
import type { CommandResults, DeclaredResults } from '../workspace/collect-results.ts';
import type { WorkspaceContent } from '../workspace/prepare-workspace.ts';

/**
 * What the agent beside a step and the runner say to each other. The agent asks, the runner answers: JSON over HTTP below
 * `URL/agent/v1/JOB/`, with the pod's own token as bearer. Both sides speak of states, not of messages, so that a runner
 * that was started again needs nothing but the agent's next question to go on.
 *
 * - `POST wish`    WishQuestion to Wish; held back until there is another wish than the one obeyed, or for 20 seconds
 * - `POST state`   AgentState
 * - `PUT  log?offset=N` raw output from byte N on; answers LogAnswer: the offset up to which it is stored
 * - `GET  blobs/SHA256`, `PUT blobs` content; the latter answers BlobAnswer
 *
 * 404: there is no such blob. 410: over for good, leave. Everything else that is no 2xx: ask again later.
 */
export const apiPath = '/agent/v1';

/** The audience that the pod's token is made for. */
export const audience = 'sluice';

export const holdMs = 20_000;

/** How far the agent is. Phases only go on; times are ms since the epoch by the pod's clock. */
export type AgentState =
  | { readonly phase: 'waiting' }
  /** The command never started and never will, or the agent cannot do its work any more. */
  | { readonly phase: 'refused'; readonly reason: Reason; readonly message: string; readonly notes: readonly string[] }
  | { readonly phase: 'running'; readonly startedAt: number }
  | ({ readonly phase: 'ended' } & CommandWord)
  | ({ readonly phase: 'collected'; readonly results: Collected } & CommandWord);

/** The shell's own word on the end of the command; the kubelet's is the one that counts. */
export interface CommandWord {
  readonly startedAt: number;
  readonly finishedAt: number;
  /** As the shell says it; undefined when its container ended without a word. */
  readonly exitCode?: number;
}

export interface Collected extends CommandResults {
  readonly files: readonly ArtifactEntry[];
  /** What turns a command that succeeded into a step that did not. */
  readonly problem?: { readonly reason: Reason; readonly message: string };
  readonly notes: readonly string[];
  /** Raw output as the agent saw it. `complete` is false when it had to drop some. */
  readonly log: { readonly bytes: number; readonly sha256: string; readonly complete: boolean };
}

export interface WishQuestion {
  readonly state: AgentState;
  /** The wish that the agent carries out or has carried out. */
  readonly obeyed: Wish['do'];
}

/** What the runner wants of the agent now. */
export type Wish =
  | { readonly do: 'wait' }
  | { readonly do: 'run'; readonly work: Work }
  /** TERM to all processes of the step, KILL after the grace. */
  | { readonly do: 'stop'; readonly graceMs: number }
  /** The kubelet says that the container has ended; the shell's word will not come any more. */
  | { readonly do: 'collect'; readonly exitCode?: number }
  /** What was sent to a runner that is gone may have gone with it: output from byte `offset` on. */
  | { readonly do: 'resend'; readonly offset: number }
  | { readonly do: 'leave' };

/** Everything about a command but its secrets: those reach its container as environment, never the agent. */
export interface Work extends WorkspaceContent {
  readonly script: string;
  readonly shell: 'sh' | 'bash';
  /** Relative to the workspace. */
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly declared: DeclaredResults;
  readonly services: readonly ServiceCheck[];
  readonly maxLogBytes: number;
  readonly maxUploadBytes: number;
  /** Copies the output to the agent's own, where `kubectl logs` shows it. Never for a step with secrets. */
  readonly echo: boolean;
}

/** How the agent learns that a service beside the step can be used. */
export interface ServiceCheck {
  readonly name: string;
  readonly port: number;
  readonly protocol: 'postgres' | 'redis' | 'tcp';
  /** PostgreSQL wants to know who asks. */
  readonly user?: string;
  readonly database?: string;
}

export interface LogAnswer {
  readonly offset: number;
}

export interface BlobAnswer {
  readonly sha256: string;
  readonly bytes: number;
}
