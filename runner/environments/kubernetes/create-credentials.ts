import { randomBytes } from 'node:crypto';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { failedWith } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { Draft, Secret } from '../../cluster/objects.ts';
import { secrets } from '../../cluster/resources.ts';

export function newPassword(): string {
  return randomBytes(24).toString('hex');
}

/** Made once: whoever comes second finds those of the first. Answers the passwords. */
export async function ensureSecrets(
  cluster: ClusterClient,
  namespace: string,
  wanted: readonly Draft<Secret>[],
): Promise<readonly string[]> {
  return Promise.all(
    wanted.map(async (body) => {
      const at = { namespace, name: body.metadata.name };
      const found = (await find(cluster, secrets, at)) ?? (await createSecret(cluster, namespace, body));
      return Buffer.from(found.data?.['password'] ?? '', 'base64').toString();
    }),
  );
}

async function createSecret(cluster: ClusterClient, namespace: string, body: Draft<Secret>): Promise<Secret> {
  try {
    return await cluster.create(secrets, { namespace }, body);
  } catch (error) {
    if (failedWith(error, 'AlreadyExists')) return cluster.get(secrets, { namespace, name: body.metadata.name });
    throw error;
  }
}
