import { randomBytes } from 'node:crypto';
import type { ClusterClient } from '../../../runner/cluster/cluster-client.ts';
import type { Draft, Job } from '../../../runner/cluster/objects.ts';
import { jobs } from '../../../runner/cluster/resources.ts';

const label = 'bench.sluice.dev/round';

/** The least that a Job of a restricted namespace can be: no volume, no token, one container that does nothing. */
function rawJob(name: string, namespace: string, round: string, image: string): Draft<Job> {
  const confined = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  return {
    metadata: { name, namespace, labels: { [label]: round } },
    spec: {
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      podReplacementPolicy: 'Failed',
      activeDeadlineSeconds: 600,
      template: {
        metadata: { labels: { [label]: round } },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 1,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            runAsGroup: 1000,
            fsGroup: 1000,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            { name: 'step', image, command: ['true'], resources: {}, securityContext: confined, volumeMounts: [] },
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
  const ending = new AbortController();
  const names = Array.from({ length: count }, (_, index) => `raw-${round}-${index}`);
  const waiters = new Map(names.map((name) => [name, Promise.withResolvers<undefined>()]));
  const listed = Promise.withResolvers<undefined>();
  const follow = async (): Promise<void> => {
    const selection = { namespace, labelSelector: `${label}=${round}` };
    for await (const event of cluster.watch(jobs, selection, { signal: ending.signal })) {
      if (event.type === 'listed') listed.resolve(undefined);
      for (const job of event.type === 'listed' ? event.items : [event.object]) {
        if (isComplete(job)) waiters.get(job.metadata.name)?.resolve(undefined);
      }
    }
  };
  const following = follow();
  await listed.promise;
  const start = performance.now();
  const run = async (name: string): Promise<void> => {
    await cluster.create(jobs, { namespace }, rawJob(name, namespace, round, image));
    await waiters.get(name)?.promise;
  };
  if (inTurn) for (const name of names) await run(name);
  else await Promise.all(names.map(run));
  const ms = performance.now() - start;
  ending.abort();
  await following;
  await Promise.all(names.map((name) => cluster.delete(jobs, { namespace, name })));
  return ms;
}

function isComplete({ status }: Job): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Complete' && is === 'True') === true;
}
