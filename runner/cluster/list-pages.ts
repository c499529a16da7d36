import type { Query } from './call.ts';
import type { Listing } from './cluster-client.ts';
import { ClusterError } from './cluster-error.ts';

export interface Page<T> extends Listing<T> {
  /** Empty on the last page. */
  readonly continueToken: string;
}

/**
 * All pages as one list. A token for the next page expires after some minutes, or with a compaction of etcd (410); the
 * whole is then read at once, as one page cannot be continued at another state of the cluster.
 */
export async function listPages<T>(read: (query: Query) => Promise<Page<T>>, limit: number): Promise<Listing<T>> {
  const items: T[] = [];
  for (let query: Query = { limit }; ;) {
    try {
      const page = await read(query);
      items.push(...page.items);
      if (page.continueToken === '') return { items, resourceVersion: page.resourceVersion };
      query = { limit, continue: page.continueToken };
    } catch (error) {
      const isOld = error instanceof ClusterError && error.status === 410 && 'continue' in query;
      if (!isOld) throw error;
      return await read({});
    }
  }
}
