import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { failedWith } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { Namespace } from '../../cluster/objects.ts';
import { secrets, serviceAccounts } from '../../cluster/resources.ts';
import type { Backend, OwnedBackend } from '../../model/backend.ts';
import { claimNamespace } from './backend-namespace.ts';
import { confiningObjects, databaseObjects, environments } from './backend-objects.ts';
import type { DesiredObject } from './backend-objects.ts';
import { credentialsOf } from './database-objects.ts';
import { fieldManager } from './names.ts';
import type { BackendPlace } from './place.ts';

const accountMs = 10_000;
const accountLookMs = 50;

/**
 * Brings the namespace of a backend to what it should be, whatever it is now, and leaves what others set: accounts, limits, policies,
 * databases. Does not wait until its pods run. A new one is protected unless told otherwise. ERR_CONFLICT when the namespace is somebody else's.
 */
export async function ensureBackend(
  cluster: ClusterClient,
  owned: OwnedBackend,
  place: BackendPlace,
  isProtected?: boolean,
): Promise<Namespace> {
  const { backend } = owned;
  const namespace = backend.name;
  const claimed = await claimNamespace(cluster, owned, isProtected);
  const apply = ({ resource, body }: DesiredObject) =>
    cluster.apply(resource, { namespace, name: body.metadata.name }, body, { fieldManager, force: true });
  await Promise.all([
    ...confiningObjects(namespace, place).map(apply),
    ensureCredentials(cluster, backend),
    awaitDefaultAccount(cluster, namespace),
  ]);
  await Promise.all(databaseObjects(backend, place).map(apply));
  return claimed;
}

/** Kubernetes makes it a moment after the namespace; pods that come before it are refused, and tried again much later. */
async function awaitDefaultAccount(cluster: ClusterClient, namespace: string): Promise<void> {
  const deadline = performance.now() + accountMs;
  while (performance.now() < deadline) {
    if (await find(cluster, serviceAccounts, { namespace, name: 'default' })) return;
    await sleep(accountLookMs);
  }
}

/** Made once: whoever comes second finds those of the first. */
async function ensureCredentials(cluster: ClusterClient, { name: namespace, database }: Backend): Promise<void> {
  if (database === undefined) return;
  const password = (): string => randomBytes(24).toString('hex');
  const missing = environments.flatMap((environment) => credentialsOf(environment, password));
  await Promise.all(
    missing.map(async (body) => {
      if (await find(cluster, secrets, { namespace, name: body.metadata.name })) return;
      await cluster.create(secrets, { namespace }, body).catch((error: unknown) => {
        if (!failedWith(error, 'AlreadyExists')) throw error;
      });
    }),
  );
}
