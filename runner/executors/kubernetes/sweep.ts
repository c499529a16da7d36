import type { ClusterClient } from '../../cluster/cluster-client.ts';
import type { Job } from '../../cluster/objects.ts';
import { jobs, pods } from '../../cluster/resources.ts';
import type { AttemptKey } from '../../model/result.ts';
import { attemptOf, labels } from './job-spec.ts';
import type { PodBook } from './pod-book.ts';
import type { KubernetesSettings } from './settings.ts';

export interface Sweep {
  readonly cluster: ClusterClient;
  readonly settings: Pick<KubernetesSettings, 'owner'>;
  /** Where to look; everywhere when undefined. */
  readonly namespace: string | undefined;
  /** The pods of places where to look. */
  readonly books: readonly PodBook[];
  /** Whether this process looks after the Job itself. */
  readonly isHeld: (job: string) => boolean;
  /** Whether nobody will ask for the attempt any more. */
  readonly isOver: (key: AttemptKey) => Promise<boolean>;
}

/**
 * Deletes Jobs that runners left behind: their attempts are on record as ended, or their runs are. Those of runs that may
 * still go on stay, with everything that their pods hold. Secrets and pods go with their Job, but for pods that the garbage
 * collector does not see as orphans: that of Kubernetes asks ever more rarely for a Job that came and went while it was cut off.
 */
export async function sweep({ cluster, settings: { owner }, namespace, books, isHeld, isOver }: Sweep): Promise<void> {
  // Before the Jobs: one that is not among them is gone for good, and was there before its pod.
  const present = books.flatMap((book) => book.staying());
  const selection = { ...(namespace !== undefined && { namespace }), labelSelector: `${labels.owner}=${owner}` };
  const { items } = await cluster.list(jobs, selection);
  await sweepJobs(items, { cluster, isHeld, isOver });
  const uids = new Set(items.map(({ metadata }) => metadata.uid));
  for (const { metadata } of present) {
    const { name, uid, ownerReferences = [] } = metadata;
    if (ownerReferences.some((reference) => uids.has(reference.uid))) continue;
    await cluster.delete(pods, { namespace: metadata.namespace ?? '', name }, { uid, graceSeconds: 1 });
  }
}

async function sweepJobs(
  items: readonly Job[],
  { cluster, isHeld, isOver }: Pick<Sweep, 'cluster' | 'isHeld' | 'isOver'>,
): Promise<void> {
  for (const job of items) {
    const { name, uid, deletionTimestamp } = job.metadata;
    const at = { namespace: job.metadata.namespace ?? '', name };
    const key = attemptOf(job);
    if (deletionTimestamp !== undefined || isHeld(name) || key === undefined || !(await isOver(key))) continue;
    // Asked again: the attempt may have begun meanwhile.
    if (!isHeld(name)) await cluster.delete(jobs, at, { propagation: 'Background', uid });
  }
}
