import { randomBytes } from 'node:crypto';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import type { Draft, Job } from '../../cluster/objects.ts';
import type { OperationName } from '../../model/operations.ts';
import { imageReference } from '../../model/own-images.ts';
import type { TaskEnd } from '../site.ts';
import { confinedJob } from './confined-job.ts';
import { managed } from './names.ts';
import { runJob, taskLabels } from './run-task.ts';
import { operationAccess } from './step-access.ts';
import type { KubernetesSiteDescription } from './step-access.ts';

/** For whoever wants to look at what it left. */
const keepSeconds = 60 * 60;

export interface OperationOrder {
  /** Beside those by which it finds its place. */
  readonly variables: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Runs an operation that is no step of a run, for a person: a Job in the namespace of the backend, with the rights that the step would have. */
export function runOperation(
  cluster: ClusterClient,
  site: KubernetesSiteDescription,
  operation: OperationName,
  order: OperationOrder,
): Promise<TaskEnd> {
  const name = `${operation}-${randomBytes(4).toString('hex')}`;
  const job = operationJob(name, site, operation, order);
  // A group of its own: nobody's operation ends that of another.
  return runJob(cluster, site.backend.name, { name, group: name, signal: order.signal }, job);
}

function operationJob(
  name: string,
  site: KubernetesSiteDescription,
  operation: OperationName,
  { variables, timeoutMs }: OperationOrder,
): Draft<Job> {
  const { account, labels, variables: own, secretVariables, volumes = [] } = operationAccess(site, operation);
  // Network policies know steps by it.
  const all = { ...managed, ...taskLabels(name, name), ...labels, 'sluice.dev/attempt': name };
  return confinedJob({
    name,
    labels: all,
    timeoutMs,
    keepSeconds,
    container: {
      name: 'task',
      image: imageReference(site.place.images, 'sluice'),
      args: ['operation', operation],
      env: [
        ...Object.entries({ ...own, ...variables }).map(([key, value]) => ({ name: key, value })),
        ...secretVariables.map(({ name: variable, secret, key }) => ({
          name: variable,
          valueFrom: { secretKeyRef: { name: secret, key } },
        })),
      ],
      volumeMounts: volumes.map(({ claim, path }) => ({ name: claim, mountPath: path })),
    },
    pod: {
      ...(account !== undefined && { serviceAccountName: account }),
      automountServiceAccountToken: true,
      volumes: volumes.map(({ claim }) => ({ name: claim, persistentVolumeClaim: { claimName: claim } })),
    },
  });
}
