import { verdictOf } from '../../../model/outcome.ts';
import type { Verdict } from '../../../model/outcome.ts';
import type { Pod, TerminatedState } from '../../../cluster/objects.ts';
import { exitCodeInWords } from '../../exit-code.ts';
import { startFault } from './explain-waiting-container.ts';
import { signalOf } from './linux-signals.ts';
import { agentContainer, stepContainer, terminatedOf } from './attempt-view.ts';
import { millis } from './times.ts';

/** The runtime could not begin the container, whatever exit code it made up. */
const startFaults: ReadonlySet<string> = new Set(['StartError', 'ContainerCannotRun']);
/** The kubelet or the runtime lost sight of the container and made up its exit code. */
const lostSight: ReadonlySet<string> = new Set(['ContainerStatusUnknown', 'Unknown']);

/** The runtime's exit code for a container whose shim is gone; commands use it as well, `ssh` for one. */
const lostExitCode = 255;

/**
 * What the end of the step's container says by itself. Green needs exit code 0, the time of the end and no word against
 * it: a container whose child alone was killed for memory ends with exit code 0 and the reason `OOMKilled`.
 */
export function stepVerdict(end: TerminatedState, pod: Pod): Verdict {
  const { exitCode, reason = '', message = '' } = end;
  if (reason === 'OOMKilled') return verdictOf('oom', outOfMemory(end, pod));
  if (startFaults.has(reason)) {
    const tooLittle = /OOM-killed|unable to set memory limit/.test(message);
    return verdictOf(tooLittle ? 'oom' : 'start_error', startFault(message));
  }
  if (lostSight.has(reason))
    return verdictOf('node_lost', `the node lost sight of the container (${message || reason})`);
  if (exitCode === lostExitCode && terminatedOf(pod, agentContainer)?.exitCode === lostExitCode) {
    return verdictOf('node_lost', 'the runtime lost the containers of the pod (exit code 255 for all of them)');
  }
  if (exitCode === 0) return zero(end);
  const signal = signalOf(exitCode);
  return signal === undefined
    ? verdictOf('exit_code', exitCodeInWords(exitCode))
    : verdictOf('signalled', `${signal} (exit code ${exitCode})${mayBeMemory(signal, pod)}`);
}

function zero({ reason = '', finishedAt }: TerminatedState): Verdict {
  if (reason !== 'Completed') {
    return verdictOf('internal_error', `exit code 0 with the reason "${reason}", which Sluice does not know`);
  }
  if (millis(finishedAt) === undefined) return verdictOf('node_lost', 'exit code 0 without the time of the end');
  return { outcome: 'succeeded' };
}

function outOfMemory({ exitCode }: TerminatedState, pod: Pod): string {
  const who =
    exitCode === 137
      ? 'the command was killed'
      : `a process was killed, and the command ended with exit code ${exitCode}`;
  const limit = memoryLimit(pod);
  return limit === undefined ? `${who}: the node is out of memory` : `${who}: memory limit ${limit}`;
}

/** With cgroups of version 1 the runtime may miss that memory was the cause. */
function mayBeMemory(signal: string, pod: Pod): string {
  const limit = memoryLimit(pod);
  return signal === 'SIGKILL' && limit !== undefined ? `; perhaps for want of memory, the limit is ${limit}` : '';
}

function memoryLimit(pod: Pod): string | undefined {
  const step = pod.spec.containers.find(({ name }) => name === stepContainer);
  return step?.resources?.limits?.['memory'];
}

/** The end of a container beside the step, in words. */
export function endInWords({ exitCode, reason = '', message = '' }: TerminatedState): string {
  if (reason === 'OOMKilled') return 'ran out of memory';
  if (startFaults.has(reason)) return `could not be started: ${startFault(message)}`;
  const signal = signalOf(exitCode);
  return `ended with exit code ${exitCode}${signal === undefined ? '' : ` (${signal})`}`;
}
