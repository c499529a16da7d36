import type { BackendsConfig, Config } from './config/config.ts';
import type { BackendPlace } from './environments/kubernetes/place.ts';

/** What the configuration says of where backends are. */
export function backendPlaceOf(
  { domain, gateway, gatewayUrl, registry }: BackendsConfig,
  { cluster: { images }, registries: { plainHttp } }: Pick<Config, 'cluster' | 'registries'>,
): BackendPlace {
  return { domain, gateway: { ...gateway, url: gatewayUrl }, registry, plainHttp, images };
}
