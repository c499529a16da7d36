import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { failedWith } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { ConfigMap } from '../../cluster/objects.ts';
import { configMaps } from '../../cluster/resources.ts';
import { messageOf, SluiceError } from '../../model/errors.ts';
import type { Json } from '../../model/json.ts';
import type { Site, SiteRecord } from '../site.ts';
import { labels, managed } from './names.ts';

const recordKey = 'record';

/** Records as ConfigMaps of a namespace; their versions are those of the objects. */
export class NamespaceRecords implements Pick<Site, 'read' | 'write' | 'list'> {
  readonly #cluster: ClusterClient;
  readonly #namespace: string;

  constructor(cluster: ClusterClient, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
  }

  async read(name: string): Promise<SiteRecord | undefined> {
    const found = await find(this.#cluster, configMaps, { namespace: this.#namespace, name });
    return found && recordOf(found, this.#namespace);
  }

  async write(name: string, value: Json, version: string | undefined): Promise<SiteRecord> {
    const namespace = this.#namespace;
    const data = { [recordKey]: JSON.stringify(value) };
    const metadata = { name, labels: { ...managed, [labels.record]: 'true' } };
    try {
      if (version === undefined)
        return recordOf(await this.#cluster.create(configMaps, { namespace }, { metadata, data }), namespace);
      const patch = { metadata: { resourceVersion: version }, data };
      return recordOf(await this.#cluster.patch(configMaps, { namespace, name }, patch), namespace);
    } catch (error) {
      if (!failedWith(error, 'AlreadyExists') && !failedWith(error, 'Conflict')) throw error;
      throw new SluiceError('ERR_CONFLICT', `somebody else wrote the record "${name}"`, { cause: error });
    }
  }

  async list(prefix: string): Promise<readonly string[]> {
    const selection = { namespace: this.#namespace, labelSelector: labels.record };
    const { items } = await this.#cluster.list(configMaps, selection);
    return items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(prefix));
  }
}

/** ERR_CORRUPT for one that somebody else wrote. */
function recordOf({ metadata: { name, resourceVersion }, data = {} }: ConfigMap, namespace: string): SiteRecord {
  try {
    return { value: JSON.parse(data[recordKey] ?? 'null') as Json, version: resourceVersion };
  } catch (error) {
    throw new SluiceError(
      'ERR_CORRUPT',
      `the ConfigMap ${name} in ${namespace} is no record of Sluice: ${messageOf(error)}`,
      {
        hint: `Somebody changed it; put right what it says: kubectl edit configmap ${name} -n ${namespace}`,
        cause: error,
      },
    );
  }
}
