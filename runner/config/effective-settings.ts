import type { Json } from '../model/json.ts';
import type { Location } from '../model/problem.ts';
import type { Config } from './config.ts';
import type { Environment } from './environment.ts';
import type { Overrides } from './load-config.ts';
import { redactConfig } from './redact-config.ts';
import { settings } from './settings.ts';

export type Origin =
  | { readonly from: 'option' | 'default' }
  | { readonly from: 'environment'; readonly variable: string }
  | { readonly from: 'file'; readonly file: string; readonly line: number; readonly column: number };

export interface EffectiveSetting {
  /** As it stands in a configuration file: `database.url`. */
  readonly key: string;
  /** Null where there is none. Of a secret only that it is there. */
  readonly value: Json;
  readonly origin: Origin;
}

export interface Sources {
  readonly overrides: Overrides;
  readonly variables: Environment['variables'];
  /** Where the configuration file has the value of a variable that the environment has not. */
  readonly places: ReadonlyMap<string, Location>;
}

/** Every setting with what counts in the end and where that comes from, in the order of the schema; secrets one by one. */
export function effectiveSettings(config: Config, sources: Sources): readonly EffectiveSetting[] {
  const redacted = redactConfig(config);
  return settings.flatMap(({ path, variable }) => {
    const key = path.join('.');
    if (variable === secretVariable) return secretRows(key, redacted, sources);
    const value = shown[key]?.(redacted);
    return [
      { key, value: value === undefined || value === '' ? null : value, origin: originOf(key, variable, sources) },
    ];
  });
}

const secretVariable = 'SLUICE_SECRET_NAME';

function secretRows(key: string, { secrets }: Config, sources: Sources): readonly EffectiveSetting[] {
  return Object.entries(secrets).map(([name, value]) => ({
    key: `${key}.${name}`,
    value,
    origin: originOf(key, secretVariable.replace('NAME', name), sources),
  }));
}

function originOf(key: string, variable: string, { overrides, variables, places }: Sources): Origin {
  if ((key === 'home' || key === 'jobs' || key === 'executor' || key === 'listen') && overrides[key])
    return { from: 'option' };
  const place = places.get(variable);
  if (place) return { from: 'file', file: place.file, line: place.line, column: place.column };
  return variables[variable] ? { from: 'environment', variable } : { from: 'default' };
}

/** The settings in the Config that they lead to. */
const shown: Readonly<Record<string, (config: Config) => Json | undefined>> = {
  home: ({ home }) => home,
  url: ({ url }) => url,
  listen: ({ listen: { host, port } }) => `${host.includes(':') ? `[${host}]` : host}:${port}`,
  executor: ({ executor }) => executor,
  jobs: ({ jobs }) => jobs,
  runs: ({ runs }) => runs,
  runsPerRepository: ({ runsPerRepository }) => runsPerRepository,
  pollSeconds: ({ pollMs }) => (pollMs ?? 0) / 1_000,
  subscribersFile: ({ subscribersFile }) => subscribersFile,
  'database.url': ({ database }) => database?.url,
  'database.passwordFile': ({ database }) => database?.passwordFile,
  'database.ttlSeconds': ({ database }) => database && database.ttlMs / 1_000,
  'blobs.url': ({ bucket }) => bucket?.url,
  'blobs.accessKeyIdFile': ({ bucket }) => bucket?.accessKeyId,
  'blobs.secretAccessKeyFile': ({ bucket }) => bucket?.secretAccessKey,
  'blobs.sessionTokenFile': ({ bucket }) => bucket?.sessionToken,
  'oidc.issuer': ({ issuer }) => issuer?.issuer,
  'oidc.audience': ({ issuer }) => issuer?.audience,
  'oidc.jwksUrl': ({ issuer }) => issuer?.jwksUrl,
  'oidc.roleClaim': ({ issuer }) => issuer?.roleClaim,
  'oidc.repositoriesClaim': ({ issuer }) => issuer?.repositoriesClaim,
  'kubernetes.kubeconfig': ({ cluster }) => cluster.kubeconfig,
  'kubernetes.context': ({ cluster }) => cluster.context,
  'kubernetes.namespace': ({ cluster }) => cluster.namespace,
  'kubernetes.agentUrl': ({ cluster }) => cluster.agentUrl,
  'kubernetes.agentPort': ({ cluster }) => cluster.agentPort,
  'kubernetes.agentImage': ({ cluster }) => cluster.agentImage,
  'kubernetes.imagePrefix': ({ cluster }) => cluster.images.prefix,
  'kubernetes.imageTag': ({ cluster }) => cluster.images.tag,
  'kubernetes.images': ({ cluster }) => cluster.images.pinned,
  'kubernetes.lookAhead': ({ lookAhead }) => lookAhead.attempts,
  'kubernetes.lookAheadCpu': ({ lookAhead }) => lookAhead.cpu,
  'kubernetes.lookAheadMemory': ({ lookAhead }) => lookAhead.memory,
  'backends.domain': ({ backends }) => backends?.domain,
  'backends.gateway': ({ backends }) => backends && `${backends.gateway.namespace}/${backends.gateway.name}`,
  'backends.gatewayUrl': ({ backends }) => backends?.gatewayUrl,
  'backends.registry': ({ backends }) => backends?.registry,
  'backends.builds': ({ backends }) => backends?.builds,
  'registries.authFile': ({ registries }) => registries.authFile,
  'registries.plainHttp': ({ registries }) => registries.plainHttp,
};
