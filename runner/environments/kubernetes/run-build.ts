import { createHash } from 'node:crypto';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import type { Draft, Job } from '../../cluster/objects.ts';
import { trialOf } from '../../model/backend.ts';
import type { Backend } from '../../model/backend.ts';
import type { TaskEnd } from '../site.ts';
import { buildNamespace } from './build-namespace.ts';
import { confinedJob } from './confined-job.ts';
import { building } from './confinement.ts';
import { labels, managed } from './names.ts';
import { endTasks, runJob, taskLabels } from './run-task.ts';

export interface BuildOrder {
  readonly backend: Backend;
  readonly service: string;
  /** Whose build it is: asked for again in the same run, the Job is found. */
  readonly run: string;
  /** The image `buildah` with the workspace in it, by digest. */
  readonly image: string;
  readonly args: readonly string[];
  /** Registries that are spoken to in plain HTTP. */
  readonly plainHttp: readonly string[];
  readonly signal: AbortSignal;
}

export const buildMinutes = 45;
const keepSeconds = 3_600;
const forgetMs = 20_000;

/** Runs a build to its end, as one Job beside the namespace of the backend. One that ran for an earlier run of the same environment is ended. */
export async function runBuild(cluster: ClusterClient, order: BuildOrder): Promise<TaskEnd> {
  const { backend, service, run, image, args, signal } = order;
  const name = `build-${digestOf(run, service, image, ...args)}`;
  const group = groupOf(order);
  const namespace = buildNamespace(backend.name);
  return runJob(cluster, namespace, { name, group, signal }, jobOf(name, group, order));
}

/** Ends a build and forgets it, so that it is made anew. */
export function forgetBuild(cluster: ClusterClient, order: BuildOrder): Promise<void> {
  // It is needed the most when nobody waits any more.
  const signal = AbortSignal.timeout(forgetMs);
  return endTasks(cluster, buildNamespace(order.backend.name), groupOf(order), { signal });
}

/** Runs of previews are beside those that lead to production, and so are their builds. */
function groupOf({ backend, service }: BuildOrder): string {
  return `build-${digestOf(trialOf(backend), service)}`;
}

function jobOf(name: string, group: string, { backend, service, image, args, plainHttp }: BuildOrder): Draft<Job> {
  return confinedJob({
    name,
    labels: {
      ...managed,
      [labels.environment]: trialOf(backend),
      [labels.service]: service,
      ...taskLabels(name, group),
    },
    timeoutMs: buildMinutes * 60_000,
    keepSeconds,
    confinement: building,
    container: {
      name: 'task',
      image,
      // One stream, so that its lines stay in their order: the last one is the digest.
      args: ['sh', '-c', 'exec "$@" 2>&1', 'sh', 'build-image', ...args],
      env: [{ name: 'SLUICE_PLAIN_HTTP_REGISTRIES', value: plainHttp.join(',') }],
    },
  });
}

function digestOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
