import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { ClusterError } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { Namespace } from '../../cluster/objects.ts';
import { serviceAccounts } from '../../cluster/resources.ts';
import type { Backend, OwnedBackend } from '../../model/backend.ts';
import { beingDeleted, claimNamespace } from './backend-namespace.ts';
import { confiningObjects, databaseObjects, environments } from './backend-objects.ts';
import type { DesiredObject } from './backend-objects.ts';
import { ensureBuilds, isBuilt } from './build-namespace.ts';
import { ensureSecrets } from './create-credentials.ts';
import { credentialsOf } from './database-objects.ts';
import { ensurePreview } from './ensure-preview.ts';
import { externalServers, refuseMove } from './external-servers.ts';
import type { ExternalServers } from './external-servers.ts';
import { fieldManager } from './names.ts';
import type { BackendPlace } from './place.ts';

const accountMs = 10_000;
const accountLookMs = 50;

export interface EnsuredBackend {
  readonly namespace: Namespace;
  /** Of its databases, which nobody is to see. */
  readonly passwords: readonly string[];
}

/**
 * Brings the namespace of a backend to what it should be, whatever it is now, and leaves what others set: accounts, limits, policies,
 * databases, and the preview that the run is about. Does not wait until its pods run. A new one is protected unless told otherwise. ERR_CONFLICT when the
 * namespace is somebody else's, has too many previews, or its databases would have to move.
 */
export async function ensureBackend(
  cluster: ClusterClient,
  owned: OwnedBackend,
  place: BackendPlace,
  isProtected?: boolean,
): Promise<EnsuredBackend> {
  const { backend } = owned;
  const claimed = await claimNamespace(cluster, owned, isProtected);
  try {
    const passwords = await ensureObjects(cluster, backend, place);
    if (isBuilt(backend) && place.builds !== undefined) await ensureBuilds(cluster, claimed, place.builds);
    return { namespace: claimed, passwords };
  } catch (error) {
    const isEnding =
      error instanceof ClusterError && error.causes.some(({ reason }) => reason === 'NamespaceTerminating');
    throw isEnding ? beingDeleted(backend.name, error) : error;
  }
}

/** Answers the passwords of its databases. */
async function ensureObjects(
  cluster: ClusterClient,
  backend: Backend,
  place: BackendPlace,
): Promise<readonly string[]> {
  const namespace = backend.name;
  const servers = await externalServers(cluster, place, backend);
  await refuseMove(cluster, backend, servers);
  const apply = ({ resource, body }: DesiredObject) =>
    cluster.apply(resource, { namespace, name: body.metadata.name }, body, { fieldManager, force: true });
  const [passwords] = await Promise.all([
    ensureCredentials(cluster, backend, servers),
    ...confiningObjects(namespace, place).map(apply),
    awaitDefaultAccount(cluster, namespace),
  ]);
  const ofPreview = backend.preview && (await ensurePreview(cluster, backend, backend.preview, place));
  await Promise.all(databaseObjects(backend, place, servers).map(apply));
  // Of others they may have characters that stand otherwise in an address.
  const inAddresses = Object.values(servers ?? {}).map(({ password }) => password);
  return [...passwords, ...inAddresses, ...(ofPreview ?? [])];
}

/** Kubernetes makes it a moment after the namespace; pods that come before it are refused, and tried again much later. */
async function awaitDefaultAccount(cluster: ClusterClient, namespace: string): Promise<void> {
  const deadline = performance.now() + accountMs;
  while (performance.now() < deadline) {
    if (await find(cluster, serviceAccounts, { namespace, name: 'default' })) return;
    await sleep(accountLookMs);
  }
}

async function ensureCredentials(
  cluster: ClusterClient,
  { name: namespace, database }: Backend,
  servers: ExternalServers | undefined,
): Promise<readonly string[]> {
  if (database === undefined) return [];
  const wanted = environments.flatMap((environment) =>
    credentialsOf({ backend: namespace, environment, server: servers?.[environment] }),
  );
  return ensureSecrets(cluster, namespace, wanted);
}
