import type { BackendsConfig, Config } from './config/config.ts';
import type { BackendPlace } from './environments/kubernetes/place.ts';

/** Where backends are deployed on a cluster, in the words of those that do. */
export function placeOf(
  { domain, gateway, gatewayUrl, registry }: BackendsConfig,
  { cluster: { images }, registries: { plainHttp } }: Pick<Config, 'cluster' | 'registries'>,
): BackendPlace {
  return { domain, gateway: { ...gateway, url: gatewayUrl }, registry, plainHttp, images };
}
