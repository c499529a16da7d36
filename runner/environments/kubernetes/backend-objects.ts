import type { Draft, KubernetesObject } from '../../cluster/objects.ts';
import {
  deployments,
  httpRoutes,
  limitRanges,
  networkPolicies,
  persistentVolumeClaims,
  resourceQuotas,
  roleBindings,
  roles,
  serviceAccounts,
  services,
  statefulSets,
} from '../../cluster/resources.ts';
import type { Resource } from '../../cluster/resources.ts';
import type { Backend } from '../../model/backend.ts';
import { ownImage } from '../../model/own-images.ts';
import type { ExpectedRelease } from '../backends.ts';
import { accountObjects } from './account-objects.ts';
import { backupsVolume, databaseService, databaseSet } from './database-objects.ts';
import type { ExternalServers } from './external-servers.ts';
import { limitRange, quota } from './limit-objects.ts';
import { externalPolicy, networkPoliciesOf } from './network-objects.ts';
import type { BackendPlace } from './place.ts';
import { liveService, releaseDeployment, releaseService } from './release-objects.ts';
import { portedServices, routeOf } from './route-objects.ts';

/** An object as Sluice applies it: the fields that it sets, and no others. */
export interface DesiredObject {
  readonly resource: Resource<KubernetesObject>;
  readonly body: Draft<KubernetesObject>;
}

export const environments = ['testing', 'production'] as const;

/** What confines a namespace: it has to be there before anything runs in it. */
export function confiningObjects(namespace: string, place: BackendPlace): readonly DesiredObject[] {
  const accounts = accountObjects(namespace);
  return [
    ...desired(resourceQuotas, [quota]),
    ...desired(limitRanges, [limitRange]),
    ...desired(networkPolicies, networkPoliciesOf(place.gateway.namespace)),
    ...desired(serviceAccounts, accounts.serviceAccounts),
    ...desired(roles, accounts.roles),
    ...desired(roleBindings, accounts.roleBindings),
  ];
}

/** The databases; none for a backend without, and of those outside the way there and the volume of backups. */
export function databaseObjects(
  { database }: Backend,
  place: BackendPlace,
  servers: ExternalServers | undefined,
): readonly DesiredObject[] {
  if (database === undefined) return [];
  if (servers !== undefined) {
    return [
      ...desired(
        networkPolicies,
        environments.map((environment) => externalPolicy(environment, servers[environment])),
      ),
      ...desired(persistentVolumeClaims, [backupsVolume]),
    ];
  }
  const image = ownImage(place.images, 'postgres');
  return [
    ...desired(services, environments.map(databaseService)),
    ...desired(persistentVolumeClaims, [backupsVolume]),
    ...desired(
      statefulSets,
      environments.map((environment) => databaseSet(environment, image)),
    ),
  ];
}

/** A release in an environment, and the way to it where there is one. */
export function releaseObjects(
  { environment, release, isRouted }: ExpectedRelease,
  backend: Backend,
  place: BackendPlace,
): readonly DesiredObject[] {
  const ported = portedServices(release).map((service) => ({ environment, release, service, port: service.port }));
  const described = { ...backend, services: release.services };
  const ways = [
    ...desired(
      httpRoutes,
      ported.map(({ service }) => routeOf(described, environment, release, service, place)),
    ),
    ...desired(services, ported.map(liveService)),
  ];
  return [
    ...desired(
      deployments,
      release.services.map((service) => releaseDeployment({ environment, release, service }, backend)),
    ),
    ...desired(services, ported.map(releaseService)),
    ...(isRouted ? ways : []),
  ];
}

function desired<T extends KubernetesObject>(
  resource: Resource<T>,
  bodies: readonly Draft<T>[],
): readonly DesiredObject[] {
  return bodies.map((body) => ({ resource, body }));
}
