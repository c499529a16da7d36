import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { jobs } from '../../cluster/resources.ts';
import type { AttemptKey } from '../../model/result.ts';
import { attemptOf, labels } from './job-spec.ts';
import type { KubernetesSettings } from './settings.ts';

export interface Sweep {
  readonly cluster: ClusterClient;
  readonly settings: Pick<KubernetesSettings, 'owner'>;
  /** Where to look; everywhere when undefined. */
  readonly namespace: string | undefined;
  /** Whether this process looks after the Job itself. */
  readonly isHeld: (job: string) => boolean;
  /** Whether nobody will ask for the attempt any more. */
  readonly isOver: (key: AttemptKey) => Promise<boolean>;
}

/**
 * Deletes Jobs that runners left behind: their attempts are on record as ended, or their runs are. Those of runs that may
 * still go on stay, with everything that their pods hold. Secrets and pods go with their Job.
 */
export async function sweepJobs({ cluster, settings: { owner }, namespace, isHeld, isOver }: Sweep): Promise<void> {
  const selection = { ...(namespace !== undefined && { namespace }), labelSelector: `${labels.owner}=${owner}` };
  const { items } = await cluster.list(jobs, selection);
  for (const job of items) {
    const { name, uid, deletionTimestamp } = job.metadata;
    const at = { namespace: job.metadata.namespace ?? '', name };
    const key = attemptOf(job);
    if (deletionTimestamp !== undefined || isHeld(name) || key === undefined || !(await isOver(key))) continue;
    // Asked again: the attempt may have begun meanwhile.
    if (!isHeld(name)) await cluster.delete(jobs, at, { propagation: 'Background', uid });
  }
}
