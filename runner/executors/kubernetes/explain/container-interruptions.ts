import type { Pod, TerminatedState } from '../../../cluster/objects.ts';
import { agentContainer, containerStatuses, serviceOf, statusOf, stepContainer, terminatedOf } from './attempt-view.ts';
import { endInWords } from './container-end.ts';
import type { Interruption } from './interruption.ts';
import { millis } from './times.ts';

/** Containers beside the step that ended although the step needed them. */
export function containerInterruptions(pod: Pod): readonly Interruption[] {
  return [agentInterruption(pod), ...serviceInterruptions(pod)].filter((interruption) => interruption !== undefined);
}

/**
 * How the agent ended, when it did not end well: reason `agent_failed` for an attempt whose files never came. It says
 * nothing against a step that had ended before.
 */
function agentFailure(pod: Pod): string | undefined {
  const end = terminatedOf(pod, agentContainer);
  return end === undefined || endedWell(end) ? undefined : `the agent ${endInWords(end)}`;
}

function endedWell({ exitCode, reason = '' }: TerminatedState): boolean {
  return exitCode === 0 && (reason === '' || reason === 'Completed');
}

function agentInterruption(pod: Pod): Interruption | undefined {
  const end = terminatedOf(pod, agentContainer);
  if (end === undefined) return undefined;
  const failure = agentFailure(pod);
  // An agent that ends well has seen the end of the command, which the kubelet may report a moment later.
  const early = failure === undefined && statusOf(pod, stepContainer)?.state?.waiting !== undefined;
  if (failure === undefined && !early) return undefined;
  return {
    reason: 'agent_failed',
    message: failure ?? 'the agent ended before the step began',
    at: millis(end.finishedAt),
    clock: 'node',
    countsInTie: terminatedOf(pod, stepContainer)?.exitCode === 0,
  };
}

/** Services are ended with the step, so that in a tie the step was first. */
function serviceInterruptions(pod: Pod): readonly Interruption[] {
  return containerStatuses(pod).flatMap(({ name, state }) => {
    const [service, end] = [serviceOf(name), state?.terminated];
    if (service === undefined || end === undefined) return [];
    return {
      reason: 'service_failed' as const,
      message: `service "${service}" ${endInWords(end)} while the step needed it`,
      at: millis(end.finishedAt),
      clock: 'node' as const,
      countsInTie: false,
    };
  });
}
