import type { KnownBackend } from '../../environments/backends.ts';
import type { BackendStatus, EnvironmentStatus } from './status.ts';

type StandingPreview = NonNullable<EnvironmentStatus['preview']>;

/** A backend as people and programs read it: `schemas/cli.schema.json#/$defs/backend`. */
export function toldBackend(known: KnownBackend) {
  const { backend, repository, createdAt, isProtected, isEnding, deleteAt, obstacle } = known;
  const { name, services, database } = backend;
  return {
    name,
    repository,
    services: Object.fromEntries(services.map(({ name: service, ...described }) => [service, described])),
    ...(database && { database }),
    createdAt,
    protected: isProtected,
    state: isEnding ? ('ending' as const) : ('active' as const),
    ...(deleteAt !== undefined && { deleteAt }),
    ...(obstacle !== undefined && { obstacle }),
  };
}

/** The same with what runs: `schemas/cli.schema.json#/$defs/backendStatus`. */
export function toldStatus({ known, environments, production }: BackendStatus) {
  return {
    ...toldBackend(known),
    environments: environments.filter(({ preview }) => preview === undefined).map(toldEnvironment),
    previews: environments.flatMap((running) => (running.preview ? [toldPreview(running, running.preview)] : [])),
    production,
  };
}

function toldEnvironment({ environment, url, routed, database, releases }: EnvironmentStatus) {
  return {
    environment,
    url,
    ...(routed !== undefined && { routed }),
    ...(database && { database }),
    releases: releases.map(({ health, ...release }) => ({ ...release, ...health })),
  };
}

function toldPreview(running: EnvironmentStatus, { branch, pullRequest, usedAt, ttlMs, leaving }: StandingPreview) {
  return {
    ...toldEnvironment(running),
    branch,
    ...(pullRequest !== undefined && { pullRequest }),
    usedAt,
    endsAt: usedAt + ttlMs,
    state: leaving === true ? ('ending' as const) : ('active' as const),
  };
}
