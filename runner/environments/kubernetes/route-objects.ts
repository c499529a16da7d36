import type { Draft, HttpRoute } from '../../cluster/objects.ts';
import type { Backend, BackendService } from '../../model/backend.ts';
import { releaseHeader } from '../release-header.ts';
import type { EnvironmentName, Release } from '../release.ts';
import { labels, managed, releaseName, serviceName } from './names.ts';
import { hostOf } from './place.ts';
import type { BackendPlace } from './place.ts';

export type PortedService = BackendService & { readonly port: number };

export function portedServices({ services }: Pick<Backend, 'services'>): readonly PortedService[] {
  return services.filter((service): service is PortedService => service.port !== undefined);
}

/**
 * Leads the host of a service to one release. Traffic and the name in the header change in one write, so an answer that names a release comes from
 * its pods: the route leads to the Service of that release alone.
 */
export function routeOf(
  backend: Backend,
  environment: EnvironmentName,
  release: Release,
  service: PortedService,
  place: BackendPlace,
): Draft<HttpRoute> {
  const { name, namespace } = place.gateway;
  return {
    metadata: {
      name: serviceName(environment, service.name),
      labels: { ...managed, [labels.environment]: environment, [labels.release]: release.name },
    },
    spec: {
      parentRefs: [{ name, namespace }],
      hostnames: hostsOf(backend, environment, service, place),
      rules: [
        {
          filters: [
            {
              type: 'ResponseHeaderModifier',
              responseHeaderModifier: { set: [{ name: releaseHeader, value: release.name }] },
            },
          ],
          backendRefs: [{ name: releaseName(environment, service.name, release.name), port: service.port }],
        },
      ],
    },
  };
}

/** The first service with a port has the host of the environment itself; the others put their name in front of it. */
function hostsOf(
  backend: Backend,
  environment: EnvironmentName,
  service: PortedService,
  place: BackendPlace,
): readonly string[] {
  const host = hostOf(place, backend.name, environment);
  return portedServices(backend)[0]?.name === service.name ? [host] : [`${service.name}.${host}`];
}
