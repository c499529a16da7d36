import { randomBytes } from 'node:crypto';
import type { ClusterClient } from '../../../runner/cluster/cluster-client.ts';
import type { Draft, Job, Pod } from '../../../runner/cluster/objects.ts';
import { jobs, pods } from '../../../runner/cluster/resources.ts';
import { restricted } from '../../../runner/environments/kubernetes/confinement.ts';
import { isTrue, timeObjects } from './time-objects.ts';

/** The least that a pod of a restricted namespace can be: no volume, no token, containers that do nothing. */
function podSpec(image: string, containers: readonly string[]): Pod['spec'] {
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 1,
    securityContext: restricted.pod,
    containers: containers.map((name) => ({
      name,
      image,
      command: ['true'],
      resources: {},
      securityContext: restricted.container,
      volumeMounts: [],
    })),
    volumes: [],
  };
}

function rawJob(name: string, namespace: string, image: string): Draft<Job> {
  return {
    metadata: { name, namespace },
    spec: {
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      podReplacementPolicy: 'Failed',
      activeDeadlineSeconds: 600,
      template: { spec: podSpec(image, ['step']) },
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

/**
 * Milliseconds from the first create until a watch has shown the last of `count` pods as Succeeded, all at once and with two containers each:
 * no runner whose steps have a container of its own beside them can be faster on that node.
 */
export async function timeRawPods(
  cluster: ClusterClient,
  at: { readonly namespace: string; readonly image: string; readonly count: number },
): Promise<number> {
  const { namespace, image, count } = at;
  const round = randomBytes(6).toString('hex');
  const objects = Array.from({ length: count }, (_, index) => ({
    metadata: { name: `raw-${round}-${index}`, namespace },
    spec: podSpec(image, ['step', 'beside']),
  }));
  return timeObjects(cluster, { resource: pods, namespace, objects, hasEnded: hasSucceeded });
}

function hasSucceeded({ metadata, status }: Pod): boolean {
  if (status?.phase === 'Failed') throw new Error(`the pod ${metadata.name} failed`);
  return status?.phase === 'Succeeded';
}
