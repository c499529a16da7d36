import { join } from 'node:path';
import type { Config } from './config/config.ts';
import type { PreviewPlace } from './environments/previews.ts';

/** Where previews are, as an open handle. */
export interface OpenPreviews {
  readonly place: PreviewPlace;
  close(): Promise<void>;
}

/** The previews of the place that runs deploy to. */
export async function openPreviews(config: Config): Promise<OpenPreviews> {
  if (config.executor !== 'kubernetes') return openLocalPreviews(config);
  const { backends } = config;
  if (backends === undefined) return none;
  const [{ connectCluster }, { clusterPreviews }, { placeOf }] = await Promise.all([
    import('./cluster/connect.ts'),
    import('./environments/kubernetes/cluster-previews.ts'),
    import('./open-backends.ts'),
  ]);
  const cluster = await connectCluster(config.cluster);
  return { place: clusterPreviews(cluster, placeOf(backends, config)), close: () => cluster.close() };
}

/** Without a supervisor nothing runs: whatever is there waits for the next one. */
async function openLocalPreviews({ home }: Config): Promise<OpenPreviews> {
  const { SupervisorClient } = await import('./environments/local/supervisor-client.ts');
  const client = new SupervisorClient(join(home, 'environments'));
  return {
    place: {
      list: async () => ((await client.find()) === undefined ? [] : client.previews()),
      remove: (preview) => client.removePreview(preview),
    },
    close: () => Promise.resolve(),
  };
}

const none: OpenPreviews = {
  place: { list: () => Promise.resolve([]), remove: () => Promise.resolve(false) },
  close: () => Promise.resolve(),
};
