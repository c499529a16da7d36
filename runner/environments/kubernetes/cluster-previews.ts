import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { namespaces } from '../../cluster/resources.ts';
import { readPreviews } from '../previews.ts';
import type { OwnedPreview, PreviewPlace } from '../previews.ts';
import { labels, repositoryAnnotation } from './names.ts';
import { NamespaceRecords } from './namespace-records.ts';
import type { BackendPlace } from './place.ts';
import { removePreview } from './remove-preview.ts';

/** The previews of all backends of a cluster. */
export function clusterPreviews(cluster: ClusterClient, place: BackendPlace): PreviewPlace {
  return {
    list: (backend, unreadable) => listPreviews(cluster, backend, unreadable),
    remove: (preview) => removePreview(cluster, preview, place),
  };
}

async function listPreviews(
  cluster: ClusterClient,
  backend: string | undefined,
  unreadable: Parameters<PreviewPlace['list']>[1],
): Promise<readonly OwnedPreview[]> {
  const labelSelector = `${labels.managedBy}=sluice`;
  const one = backend === undefined ? {} : { fieldSelector: `metadata.name=${backend}` };
  const { items } = await cluster.list(namespaces, { labelSelector, ...one });
  const owned = items.map(async ({ metadata: { name, annotations = {} } }) => {
    const previews = await readPreviews(new NamespaceRecords(cluster, name)).catch((error: unknown) => {
      if (unreadable === undefined) throw error;
      unreadable(name, error);
      return [];
    });
    const repository = annotations[repositoryAnnotation] ?? '';
    return previews.map((preview) => ({ ...preview, backend: name, repository }));
  });
  return (await Promise.all(owned)).flat();
}
