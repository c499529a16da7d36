import { randomBytes } from 'node:crypto';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { failedWith } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { Draft, Secret } from '../../cluster/objects.ts';
import { secrets } from '../../cluster/resources.ts';

export function newPassword(): string {
  return randomBytes(24).toString('hex');
}

/** Made once: whoever comes second finds those of the first. */
export async function createMissing(
  cluster: ClusterClient,
  namespace: string,
  wanted: readonly Draft<Secret>[],
): Promise<void> {
  await Promise.all(
    wanted.map(async (body) => {
      if (await find(cluster, secrets, { namespace, name: body.metadata.name })) return;
      await cluster.create(secrets, { namespace }, body).catch((error: unknown) => {
        if (!failedWith(error, 'AlreadyExists')) throw error;
      });
    }),
  );
}
