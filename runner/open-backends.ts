import type { BackendsConfig, Config } from './config/config.ts';
import type { Environment } from './config/environment.ts';
import type { Backends } from './environments/backends.ts';
import type { BackendPlace } from './environments/kubernetes/place.ts';
import { SluiceError } from './model/errors.ts';

/** The backends of the place that steps run in: this machine, or a cluster. ERR_USAGE where none can be deployed. */
export async function openBackends(config: Config, environment: Environment): Promise<Backends> {
  if (config.executor === 'local') return (await import('./open-environments.ts')).localBackends(config, environment);
  const place = requiredPlace(config);
  const [{ KubernetesBackends }, { connectCluster }] = await Promise.all([
    import('./environments/kubernetes/kubernetes-backends.ts'),
    import('./cluster/connect.ts'),
  ]);
  return new KubernetesBackends(await connectCluster(config.cluster), place);
}

/** ERR_USAGE where the configuration does not say it. */
export function requiredPlace(config: Config): BackendPlace {
  if (config.backends !== undefined) return placeOf(config.backends, config);
  throw new SluiceError('ERR_USAGE', 'it is not configured where backends are deployed', {
    hint: 'Set SLUICE_DOMAIN and what docs/backends.md names beside it.',
  });
}

/** Where backends are deployed, in the words of those that do. */
export function placeOf(
  { domain, gateway, gatewayUrl, registry, builds }: BackendsConfig,
  { cluster: { images, namespace }, registries: { plainHttp } }: Pick<Config, 'cluster' | 'registries'>,
): BackendPlace {
  return {
    domain,
    gateway: { ...gateway, url: gatewayUrl },
    registry,
    plainHttp,
    images,
    ...(namespace !== '' && { namespace }),
    ...(builds && { builds }),
  };
}
