import type { Condition, ContainerStatus, CoreEvent, Job, Pod, TerminatedState } from '../../../cluster/objects.ts';

/** All that the cluster shows of one attempt at one moment. Times are ms since 1970. */
export interface AttemptView {
  /** Absent when it is not there (any more); never pass an attempt whose Job was not created yet. */
  readonly job?: Job | undefined;
  /** The attempt's pod, or its last version seen when it is gone. */
  readonly pod?: Pod | undefined;
  /** The pod object is not in the cluster any more. */
  readonly podGone?: boolean;
  /** Uid of the pod on record for this attempt, once there is one. */
  readonly podUid?: string | undefined;
  /** Events of any objects, in any order, late and repeated as they come. */
  readonly events: readonly CoreEvent[];
  readonly now: number;
}

export const stepContainer = 'step';
export const agentContainer = 'agent';
const servicePrefix = 'service-';

export function statusOf(pod: Pod | undefined, container: string): ContainerStatus | undefined {
  return containerStatuses(pod).find(({ name }) => name === container);
}

export function containerStatuses(pod: Pod | undefined): readonly ContainerStatus[] {
  return pod?.status?.containerStatuses ?? [];
}

export function terminatedOf(pod: Pod | undefined, container: string): TerminatedState | undefined {
  return statusOf(pod, container)?.state?.terminated;
}

/** The name of the service that a container runs, if it runs one. */
export function serviceOf(container: string): string | undefined {
  return container.startsWith(servicePrefix) ? container.slice(servicePrefix.length) : undefined;
}

/** A container as the user knows it. */
export function containerInWords(container: string): string {
  const service = serviceOf(container);
  if (service !== undefined) return `service "${service}"`;
  if (container === stepContainer) return 'the step';
  return `the container "${container}"${container === agentContainer ? ' of Sluice' : ''}`;
}

export function trueCondition(object: Job | Pod | undefined, type: string): Condition | undefined {
  return object?.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}
