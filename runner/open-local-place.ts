import { join } from 'node:path';
import { LocalSite } from './environments/local/local-site.ts';
import { keepRelease } from './environments/local/release-files.ts';
import { releasesFolder } from './environments/local/supervisor-calls.ts';
import type { LocalSiteDescription } from './environments/local/supervisor-calls.ts';
import type { OperationPlace } from './operation-place.ts';

/** This machine. The image of a service is the files of the workspace. */
export function openLocalPlace(description: LocalSiteDescription, signal: AbortSignal): OperationPlace {
  const store = join(description.folder, releasesFolder);
  return {
    site: new LocalSite(description),
    build: ({ image }) => keepRelease(store, process.cwd(), image, signal),
    close: () => Promise.resolve(),
  };
}
