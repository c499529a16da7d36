import { randomBytes } from 'node:crypto';
import type { ClusterClient } from '../../../runner/cluster/cluster-client.ts';
import type { Draft, Job } from '../../../runner/cluster/objects.ts';
import { jobs } from '../../../runner/cluster/resources.ts';
import { restricted } from '../../../runner/environments/kubernetes/confinement.ts';
import { isTrue, timeObjects } from './time-objects.ts';

/** The least that a Job of a restricted namespace can be: no volume, no token, one container that does nothing. */
function rawJob(name: string, namespace: string, image: string): Draft<Job> {
  return {
    metadata: { name, namespace },
    spec: {
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      podReplacementPolicy: 'Failed',
      activeDeadlineSeconds: 600,
      template: {
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 1,
          securityContext: restricted.pod,
          containers: [
            {
              name: 'step',
              image,
              command: ['true'],
              resources: {},
              securityContext: restricted.container,
              volumeMounts: [],
            },
          ],
          volumes: [],
        },
      },
    },
  };
}

/** Milliseconds from the first create until a watch has shown the last of `count` Jobs as Complete; all at once, or in turn. */
export async function timeRawJobs(
  cluster: ClusterClient,
  at: { readonly namespace: string; readonly image: string; readonly count: number; readonly inTurn?: boolean },
): Promise<number> {
  const { namespace, image, count, inTurn = false } = at;
  const round = randomBytes(6).toString('hex');
  const objects = Array.from({ length: count }, (_, index) => rawJob(`raw-${round}-${index}`, namespace, image));
  return timeObjects(cluster, { resource: jobs, namespace, objects, inTurn, hasEnded: isComplete });
}

function isComplete({ metadata, status }: Job): boolean {
  if (isTrue(status?.conditions, 'Failed')) throw new Error(`the Job ${metadata.name} failed`);
  return isTrue(status?.conditions, 'Complete');
}
