import type { Container, Draft, Job, Labels, PodSpec } from '../../cluster/objects.ts';
import { confinedContainer, confinedPod } from './confinement.ts';

export interface ConfinedJob {
  readonly name: string;
  /** Of the Job and of its pod. */
  readonly labels: Labels;
  /** The cluster ends it then. */
  readonly timeoutMs: number;
  readonly container: Omit<Container, 'securityContext'>;
  /** What the pod has beside its container: rights and volumes. Without that it has no token. */
  readonly pod?: Pick<PodSpec, 'serviceAccountName' | 'automountServiceAccountToken' | 'volumes'>;
}

/** One pod of one container with the confinement of a backend, which the cluster never begins again. */
export function confinedJob({ name, labels, timeoutMs, container, pod = {} }: ConfinedJob): Draft<Job> {
  return {
    metadata: { name, labels },
    spec: {
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      activeDeadlineSeconds: Math.ceil(timeoutMs / 1000),
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: confinedPod,
          containers: [{ ...container, securityContext: confinedContainer }],
          ...pod,
        },
      },
    },
  };
}
