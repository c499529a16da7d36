import type { FeedEntry } from '../store/server-records.ts';
import type { ApiDependencies } from './dependencies.ts';

/** Answers, each time it is asked, what has come since, `batch` events at most; only a store in which something changed is read. */
export function feedReader(
  store: Pick<ApiDependencies['store'], 'changes' | 'feed'>,
  from: number,
  batch: number,
): () => Promise<readonly FeedEntry[]> {
  let position = from;
  let exhausted: number | undefined;
  return async () => {
    const changes = await store.changes();
    if (changes === exhausted) return [];
    const entries = await store.feed(position, batch);
    position = entries.at(-1)?.position ?? position;
    if (entries.length === 0) exhausted = changes;
    return entries;
  };
}
