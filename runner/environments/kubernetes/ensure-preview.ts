import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { jobs, networkPolicies, secrets } from '../../cluster/resources.ts';
import type { Backend, Preview } from '../../model/backend.ts';
import { systemClock } from '../../model/clock.ts';
import { claimPreview } from '../previews.ts';
import { ensureSecrets } from './create-credentials.ts';
import { credentialsOf } from './database-objects.ts';
import { databaseSecret, fieldManager, labels } from './names.ts';
import { NamespaceRecords } from './namespace-records.ts';
import { previewPolicies } from './network-objects.ts';
import type { BackendPlace } from './place.ts';
import { removePreview } from './remove-preview.ts';

/**
 * Brings about what a preview has before anything is deployed to it: its word on record, its credentials, its ways to others. The database is made from a copy by
 * the migration. Answers the passwords of its roles. ERR_CONFLICT when the backend has too many previews.
 */
export async function ensurePreview(
  cluster: ClusterClient,
  { name: namespace, database }: Backend,
  preview: Preview,
  place: BackendPlace,
): Promise<readonly string[]> {
  const { environment } = preview;
  const records = new NamespaceRecords(cluster, namespace);
  await claimPreview(records, namespace, preview, systemClock(), async (standing) => {
    if (standing.leaving === true || !(await isAtWork(cluster, namespace, standing)))
      await removePreview(cluster, { ...standing, backend: namespace }, place);
  });
  const policies = previewPolicies(environment, place.gateway.namespace).map((body) =>
    cluster.apply(networkPolicies, { namespace, name: body.metadata.name }, body, { fieldManager, force: true }),
  );
  await Promise.all(policies);
  if (database === undefined) return [];
  const { data = {} } = await cluster.get(secrets, { namespace, name: databaseSecret('testing', 'admin') });
  const superuser = Buffer.from(data['password'] ?? '', 'base64').toString();
  return ensureSecrets(cluster, namespace, credentialsOf({ backend: namespace, environment }, superuser));
}

/** Whether a step works in it. Each step that begins puts the end of its time off, so that only one which takes longer than that is met here. */
async function isAtWork(
  cluster: ClusterClient,
  namespace: string,
  { environment }: Pick<Preview, 'environment'>,
): Promise<boolean> {
  const labelSelector = `${labels.environment}=${environment}`;
  const { items } = await cluster.list(jobs, { namespace, labelSelector });
  return items.some(({ status }) => (status?.active ?? 0) > 0);
}
