/** How an attempt, a step or a run ended: `failed` is the user's fault, `errored` ours or the cluster's. */
export type Outcome = 'succeeded' | 'failed' | 'errored' | 'cancelled' | 'skipped';

interface ReasonEntry {
  readonly outcome: Outcome;
  /** What to do about it, in one sentence. */
  readonly hint: string;
}

/** Why something did not simply succeed. The order within an outcome has no meaning; names never change once shipped. */
export const reasons = {
  exit_code: { outcome: 'failed', hint: 'The command ended with a non-zero exit code; its last lines say why.' },
  gate_refused: { outcome: 'failed', hint: 'The gate does not let this commit pass; the message says why.' },
  signalled: { outcome: 'failed', hint: 'The command was ended by a signal that Sluice did not send.' },
  start_error: {
    outcome: 'failed',
    hint: 'The command could not be started; check the name, the shell and the image.',
  },
  timeout: { outcome: 'failed', hint: 'The step ran longer than its timeout; make it faster or raise `timeout`.' },
  oom: { outcome: 'failed', hint: 'The step used more memory than it may; raise `resources.memory`.' },
  disk_limit: {
    outcome: 'failed',
    hint: 'The step wrote more to disk than it may; write less or raise `resources.ephemeral-storage`.',
  },
  log_limit: { outcome: 'failed', hint: 'The step wrote more log than it may; print less or write to an artefact.' },
  upload_limit: {
    outcome: 'failed',
    hint: 'The files that the step hands over are larger than they may be; declare less of them.',
  },
  tests_failed: { outcome: 'failed', hint: '`sluice tests` lists the red cases with their messages.' },
  no_tests: {
    outcome: 'failed',
    hint: 'Too few tests ran, or none; check the `junit` paths, `min-tests` and `allow-empty`.',
  },
  report_unreadable: {
    outcome: 'failed',
    hint: 'A JUnit report is not well-formed XML; `sluice junit FILE` shows where.',
  },
  artifact_missing: { outcome: 'failed', hint: 'A required artefact was not written; check its path.' },
  output_missing: { outcome: 'failed', hint: 'A declared output was not written to $SLUICE_OUTPUT.' },
  output_invalid: {
    outcome: 'failed',
    hint: '$SLUICE_OUTPUT holds NAME=value lines of declared names, 64 KiB at most.',
  },
  output_conflict: {
    outcome: 'failed',
    hint: 'Two needed steps hand over the same path; rename one or need only one.',
  },
  unsafe_path: { outcome: 'failed', hint: 'A link or path leaves the workspace; write the file inside it.' },
  rejected: { outcome: 'failed', hint: 'The approval was rejected.' },
  approval_timeout: { outcome: 'failed', hint: 'Nobody approved in time; rerun from this step.' },
  expression_error: { outcome: 'failed', hint: 'An expression could not be evaluated with the values of this run.' },
  pipeline_invalid: { outcome: 'failed', hint: 'The pipeline file has mistakes; each is listed with line and column.' },
  step_failed: { outcome: 'failed', hint: 'At least one step failed.' },

  runner_lost: {
    outcome: 'errored',
    hint: 'The runner ended while this was under way; `sluice rerun --failed` goes on from here.',
  },
  source_failed: {
    outcome: 'errored',
    hint: 'The commit could not be fetched from its repository; the message has the words of git.',
  },
  service_failed: {
    outcome: 'errored',
    hint: 'A service of the step did not become ready or ended early; its log says why.',
  },
  workspace_failed: { outcome: 'errored', hint: 'The workspace could not be made; the message says why.' },
  collect_failed: { outcome: 'errored', hint: 'Artefacts or reports could not be stored; the message says why.' },
  unsupported: { outcome: 'errored', hint: 'This executor cannot run such a step.' },
  internal_error: { outcome: 'errored', hint: 'This is a defect in Sluice; please report it with the run id.' },
  cluster_unreachable: {
    outcome: 'errored',
    hint: 'The API server of the cluster did not answer, or only with faults of its own; try again when it is well.',
  },
  quota: { outcome: 'errored', hint: "The namespace's quota is used up; raise it or wait for other runs." },
  admission_denied: {
    outcome: 'errored',
    hint: "The cluster's admission rules refused the pod, or its backend has no place for the run; the message says which and why.",
  },
  unschedulable: { outcome: 'errored', hint: 'No node fits; the scheduler message names the missing resource.' },
  image_pull: { outcome: 'errored', hint: 'The image could not be pulled; check its name, tag and the pull secret.' },
  image_invalid: { outcome: 'errored', hint: 'The image reference is not valid.' },
  volume: { outcome: 'errored', hint: 'A volume could not be mounted; the message names it.' },
  pod_setup: {
    outcome: 'errored',
    hint: 'The node could not set up the pod; the message has the words of its runtime or network.',
  },
  container_config: {
    outcome: 'errored',
    hint: 'The container could not be configured; the event names the missing part.',
  },
  evicted: { outcome: 'errored', hint: 'The node evicted the pod; set `resources` or use a larger node.' },
  preempted: { outcome: 'errored', hint: 'A pod of higher priority took the place; try again when there is room.' },
  node_lost: {
    outcome: 'errored',
    hint: 'The node stopped answering or lost the container; a new attempt runs elsewhere.',
  },
  node_shutdown: { outcome: 'errored', hint: 'The node was shut down; a new attempt runs elsewhere.' },
  pod_deleted: {
    outcome: 'errored',
    hint: "Somebody or something deleted the pod; the cluster's audit log knows who.",
  },
  deadline: {
    outcome: 'errored',
    hint: 'The last deadline of the Job passed while no runner watched; `sluice rerun --failed` goes on from here.',
  },
  agent_failed: { outcome: 'errored', hint: 'The agent beside the step ended early; the message says how.' },
  gate_errored: {
    outcome: 'errored',
    hint: 'The gate could not do its work; the message says what stood in its way. It goes on from there when the run is repeated.',
  },
  step_errored: { outcome: 'errored', hint: 'At least one step could not be carried out.' },

  cancelled: { outcome: 'cancelled', hint: 'Somebody cancelled it.' },
  interrupted: { outcome: 'cancelled', hint: 'The command line was interrupted.' },
  superseded: { outcome: 'cancelled', hint: 'A newer run of the same concurrency group took its place.' },
  group_busy: {
    outcome: 'cancelled',
    hint: 'The concurrency group is held by another run and its policy is `reject`.',
  },
  unproven: {
    outcome: 'cancelled',
    hint: 'It was begun on the word of a step that turned out not to have succeeded; it begins again when that does.',
  },
  run_timeout: { outcome: 'failed', hint: 'The run took longer than the `timeout` of the pipeline.' },

  condition: { outcome: 'skipped', hint: 'Its `if` is false.' },
  needs_failed: { outcome: 'skipped', hint: 'A step that it needs did not succeed.' },
  needs_skipped: {
    outcome: 'skipped',
    hint: 'A step that it needs was skipped; `needs: [{ step: …, allow: [skipped] }]` runs it all the same.',
  },
  run_cancelled: { outcome: 'skipped', hint: 'The run was cancelled before it started.' },
  not_triggered: {
    outcome: 'skipped',
    hint: '`on` in the pipeline file says what starts a run; add the event there if it should.',
  },
  nothing_ran: { outcome: 'skipped', hint: 'Every step was skipped, so nothing was proven.' },
} as const satisfies Readonly<Record<string, ReasonEntry>>;

export type Reason = keyof typeof reasons;

/** An outcome with its reason; `message` holds what is particular to this case. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly reason?: Reason;
  readonly message?: string;
}

/** The verdict that a reason stands for. */
export function verdictOf(reason: Reason, message?: string): Verdict {
  return { outcome: reasons[reason].outcome, reason, ...(message === undefined ? {} : { message }) };
}
