import type { ContainerStatus, Pod } from '../../../cluster/objects.ts';
import { agentContainer, containerInWords, serviceOf } from './attempt-view.ts';
import { explainPull } from './explain-pull.ts';
import { shorten } from './shorten.ts';
import type { Trouble } from './trouble.ts';

const pullReasons: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'RegistryUnavailable',
  'ImageInspectError',
  'SignatureValidationFailed',
]);

/** The kubelet or the runtime is slow or short of something; the user's file is not the cause. */
const passing =
  /timed? ?out|deadline exceeded|failed to sync|no space left|failed to get image|is reserved for|resource temporarily unavailable|not registered/i;

/** Why a container is not started, from its own state alone; `pulled` is what an event says of its image, if any does. */
export function explainWaitingContainer(
  pod: Pod,
  { name, state }: ContainerStatus,
  pulled: string | undefined,
): Trouble | undefined {
  const { reason = '', message = '' } = state?.waiting ?? {};
  const image = pod.spec.containers.find((container) => container.name === name)?.image ?? '';
  if (reason === 'InvalidImageName') {
    return { reason: 'image_invalid', message: `"${image}" is not the name of an image`, hope: 'none' };
  }
  if (reason === 'ErrImageNeverPull') {
    return { reason: 'image_pull', message: `image ${image} is not on the node and must not be pulled`, hope: 'none' };
  }
  if (pullReasons.has(reason)) return explainPull(image, [message, pulled].find((words) => tells(words)) ?? reason);
  if (reason === 'CreateContainerConfigError') return configTrouble(name, message);
  return isStartFault(reason) ? startTrouble(name, message) : undefined;
}

/** "Back-off pulling image" alone says nothing of the cause; older kubelets say no more. */
function tells(words: string | undefined): words is string {
  return words !== undefined && words !== '' && !/^Back-off pulling image "[^"]*"$/.test(words);
}

function isStartFault(reason: string): boolean {
  return /^(?:CreateContainer|RunContainer|PreCreateHook|PreStartHook|PostStartHook)Error$/.test(reason);
}

function configTrouble(container: string, words: string): Trouble {
  const message = `${containerInWords(container)}: ${shorten(words.replace(/ \(pod: .*\)$/, ''))}`;
  return { reason: 'container_config', message, hope: passing.test(words) ? 'soon' : 'none' };
}

function startTrouble(container: string, words: string): Trouble {
  const message = `${containerInWords(container)} cannot be started: ${startFault(words)}`;
  if (passing.test(words)) return { reason: 'pod_setup', message, hope: 'soon' };
  return { reason: startReason(container), message, hope: 'none' };
}

/** Whose fault it is when a container cannot be started. */
function startReason(container: string): 'agent_failed' | 'service_failed' | 'start_error' {
  if (container === agentContainer) return 'agent_failed';
  return serviceOf(container) === undefined ? 'start_error' : 'service_failed';
}

/** The last of the sentences that runtime, shim and runc put before each other. */
export function startFault(words: string): string {
  const core = words
    .replace(/^.*unable to start container process: /, '')
    .replace(/^failed to create containerd (?:task|container): (?:failed to create shim task: )?/, '')
    .replace(/: unknown$/, '');
  return shorten(core);
}
