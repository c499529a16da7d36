import type { Container, Draft, Job, Labels, PodSpec } from '../../cluster/objects.ts';
import { restricted } from './confinement.ts';
import type { Confinement } from './confinement.ts';

export interface ConfinedJob {
  readonly name: string;
  /** Of the Job and of its pod. */
  readonly labels: Labels;
  /** The cluster ends it then. */
  readonly timeoutMs: number;
  readonly container: Omit<Container, 'securityContext'>;
  /** What the pod has beside its container: rights and volumes. Without that it has no token. */
  readonly pod?: Pick<PodSpec, 'serviceAccountName' | 'automountServiceAccountToken' | 'volumes'>;
  /** As everything in the namespace of a backend, unless it says otherwise. */
  readonly confinement?: Confinement;
  /** How long the cluster keeps the Job after its end; without it until somebody deletes it. */
  readonly keepSeconds?: number;
}

/** One pod of one container, which the cluster never begins again. */
export function confinedJob(job: ConfinedJob): Draft<Job> {
  const { name, labels, timeoutMs, container, pod = {}, confinement = restricted, keepSeconds } = job;
  return {
    metadata: { name, labels },
    spec: {
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      activeDeadlineSeconds: Math.ceil(timeoutMs / 1000),
      ...(keepSeconds !== undefined && { ttlSecondsAfterFinished: keepSeconds }),
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: confinement.pod,
          containers: [{ ...container, securityContext: confinement.container }],
          ...pod,
        },
      },
    },
  };
}
