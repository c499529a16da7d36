import type { Backends, KnownBackend, RunningEnvironment } from '../../environments/backends.ts';
import type { ReleaseHealth, Site } from '../../environments/site.ts';
import { readProduction } from '../production.ts';
import type { Production } from '../production.ts';
import { releaseNamed } from '../records.ts';

export interface RunningRelease {
  readonly release: string;
  readonly commit?: string;
  readonly health: ReleaseHealth;
}

export interface EnvironmentStatus extends Omit<RunningEnvironment, 'releases'> {
  readonly releases: readonly RunningRelease[];
}

/** What there is of a backend, before anything is done about it. */
export interface BackendStatus {
  readonly known: KnownBackend;
  readonly environments: readonly EnvironmentStatus[];
  /** The record of production, with its last promotion. */
  readonly production: Production;
}

/** What runs where and how it is, as of now; nothing is changed. */
export async function backendStatus(backends: Backends, known: KnownBackend): Promise<BackendStatus> {
  const site = await backends.site(known.backend);
  const [running, { production }] = await Promise.all([backends.environments(known), readProduction(site)]);
  const environments = await Promise.all(
    running.map(async (environment) => ({
      ...environment,
      releases: await Promise.all(environment.releases.map((name) => releaseStatus(site, environment, name))),
    })),
  );
  return { known, environments, production };
}

async function releaseStatus(site: Site, { environment }: RunningEnvironment, name: string): Promise<RunningRelease> {
  const release = await releaseNamed(site, name);
  if (release === undefined) {
    return { release: name, health: { state: 'failed', message: 'there is no record of this release' } };
  }
  return { release: name, commit: release.commit, health: await site.health(environment, release) };
}
