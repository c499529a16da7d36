import { delimiter, join } from 'node:path';
import { LocalSite } from './environments/local/local-site.ts';
import { keepRelease } from './environments/local/release-files.ts';
import { releasesFolder } from './environments/local/supervisor-calls.ts';
import type { LocalSiteDescription } from './environments/local/supervisor-calls.ts';
import type { OperationPlace, OperationSurroundings } from './operation-place.ts';

/** This machine. The image of a service is the files of the workspace. */
export function openLocalPlace(
  description: LocalSiteDescription,
  { variables, signal }: OperationSurroundings,
): OperationPlace {
  const store = join(description.folder, releasesFolder);
  const { programs } = description.access;
  return {
    site: new LocalSite(description),
    build: ({ image }) => keepRelease(store, process.cwd(), image, signal),
    // Those of the server first: older ones cannot dump it.
    programs: [programs, variables['PATH']].filter((folders) => folders !== undefined).join(delimiter),
    backups: join(description.folder, 'backups', description.backend.name),
    close: () => Promise.resolve(),
  };
}
