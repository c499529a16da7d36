import type { KnownBackend } from '../../environments/backends.ts';
import type { BackendStatus } from './status.ts';

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
    environments: environments.map(({ releases, ...environment }) => ({
      ...environment,
      releases: releases.map(({ health, ...release }) => ({ ...release, ...health })),
    })),
    production,
  };
}
