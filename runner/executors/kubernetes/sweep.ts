import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { jobs } from '../../cluster/resources.ts';
import type { AttemptKey } from '../../model/result.ts';
import { attemptOf, labels } from './job-spec.ts';
import type { KubernetesSettings } from './settings.ts';

export interface Sweep {
  readonly cluster: ClusterClient;
  readonly settings: KubernetesSettings;
  /** Whether this process looks after the Job itself. */
  readonly isHeld: (job: string) => boolean;
  /** Whether nobody will ask for the attempt any more. */
  readonly isOver: (key: AttemptKey) => Promise<boolean>;
}

/**
 * Deletes Jobs that runners left behind: their attempts are on record as ended, or their runs are. Those of runs that may
 * still go on stay, with everything that their pods hold. Secrets and pods go with their Job.
 */
export async function sweepJobs({ cluster, settings, isHeld, isOver }: Sweep): Promise<void> {
  const { namespace, owner } = settings;
  const { items } = await cluster.list(jobs, { namespace, labelSelector: `${labels.owner}=${owner}` });
  for (const job of items) {
    const { name, uid, deletionTimestamp } = job.metadata;
    const key = attemptOf(job);
    if (deletionTimestamp !== undefined || isHeld(name) || key === undefined || !(await isOver(key))) continue;
    // Asked again: the attempt may have begun meanwhile.
    if (!isHeld(name)) await cluster.delete(jobs, { namespace, name }, { propagation: 'Background', uid });
  }
}
