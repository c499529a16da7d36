import { join, resolve } from 'node:path';
import { SluiceError } from '../model/errors.ts';
import { quantity } from '../model/quantity.ts';
import { executorNames } from './config.ts';
import type {
  BackendsConfig,
  BucketConfig,
  ClusterConfig,
  Config,
  DatabaseConfig,
  IssuerConfig,
  RegistriesConfig,
} from './config.ts';
import type { Environment } from './environment.ts';

/** What the command line says; it wins over the environment. */
export interface Overrides {
  readonly home?: string;
  readonly jobs?: string;
  readonly executor?: string;
  readonly listen?: string;
  readonly color?: boolean;
  readonly secrets?: Readonly<Record<string, string>>;
}

const secretPrefix = 'SLUICE_SECRET_';

/** Links and origins are made of it. */
function publicUrl(text: string): string {
  if (text === '' || (/^https?:/.test(text) && URL.canParse(text))) return text.replace(/\/+$/, '');
  throw new SluiceError('ERR_USAGE', `SLUICE_URL is ${JSON.stringify(text)}, which is no address`, {
    hint: 'Give the address that people and forges know the server by: `https://sluice.example`.',
  });
}

/** A cluster has room for more attempts than this machine has processors; its own quotas say where the end is. */
const clusterJobs = 50;

const defaultLookAhead = { attempts: 4, cpu: '4', memory: '8Gi' };
const defaultListen = Object.freeze({ host: '127.0.0.1', port: 8080 });
const defaultRuns = 20;
const defaultPollMs = 300_000;

/** Command line, then environment (and what a configuration file puts below it), then defaults. ERR_USAGE for a number that is none, and an executor that there is not. */
export function loadConfig(environment: Environment, overrides: Overrides = {}): Config {
  const { variables } = environment;
  const runs = count(variables['SLUICE_RUNS'], 'SLUICE_RUNS', 'Give how many runs a server drives at once.');
  const executor = executorOf(given(overrides.executor) ?? given(variables['SLUICE_EXECUTOR']) ?? 'local');
  return Object.freeze({
    home: resolve(given(overrides.home) ?? given(variables['SLUICE_HOME']) ?? environment.dataFolder),
    database: databaseConfig(variables),
    bucket: bucketConfig(variables),
    jobs:
      jobs(overrides.jobs, '--jobs') ??
      jobs(variables['SLUICE_JOBS'], 'SLUICE_JOBS') ??
      (executor === 'kubernetes' ? clusterJobs : environment.processors),
    executor,
    listen:
      listenAddress(given(overrides.listen), '--listen') ??
      listenAddress(given(variables['SLUICE_LISTEN']), 'SLUICE_LISTEN') ??
      defaultListen,
    url: publicUrl(given(variables['SLUICE_URL']) ?? ''),
    subscribersFile: given(variables['SLUICE_SUBSCRIBERS']),
    runs: runs ?? defaultRuns,
    runsPerRepository: runsPerRepository(given(variables['SLUICE_RUNS_PER_REPOSITORY'])) ?? runs ?? defaultRuns,
    pollMs: pollMs(given(variables['SLUICE_POLL_SECONDS'])),
    traces: wantsTraces(variables),
    lookAhead: Object.freeze(lookAhead(variables)),
    cluster: Object.freeze(clusterConfig(variables)),
    backends: backendsConfig(variables),
    registries: Object.freeze(registriesConfig(variables)),
    color: overrides.color === false ? 'never' : color(variables),
    liveView: variables['TERM'] !== 'dumb' && !given(variables['CI']),
    secrets: Object.freeze({ ...secretsOf(variables), ...overrides.secrets }),
    issuer: issuerConfig(variables),
    actor: environment.user,
  });
}

function executorOf(name: string): Config['executor'] {
  const known = executorNames.find((candidate) => candidate === name);
  if (known !== undefined) return known;
  throw new SluiceError('ERR_USAGE', `there is no executor ${JSON.stringify(name)}`, {
    hint: `Give one of: ${executorNames.join(', ')}.`,
  });
}

function listenAddress(text: string | undefined, origin: string): Config['listen'] | undefined {
  if (text === undefined) return undefined;
  const [, host, port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host !== undefined && Number(port) <= 65_535) {
    return Object.freeze({ host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) });
  }
  throw new SluiceError('ERR_USAGE', `${origin} is ${JSON.stringify(text)}, which is no address to listen at`, {
    hint: 'Give HOST:PORT, such as 127.0.0.1:8080; port 0 takes any free one.',
  });
}

function databaseConfig(variables: Environment['variables']): DatabaseConfig | undefined {
  const url = given(variables['SLUICE_DATABASE_URL']);
  if (url === undefined) return undefined;
  const passwordFile = given(variables['SLUICE_DATABASE_PASSWORD_FILE']);
  const ttlMs = 1_000 * secondsToLive(given(variables['SLUICE_RUNNER_TTL']) ?? '30');
  return Object.freeze({ url, ttlMs, ...(passwordFile !== undefined && { passwordFile }) });
}

function bucketConfig(variables: Environment['variables']): BucketConfig | undefined {
  const url = given(variables['SLUICE_BLOBS_URL']);
  if (url === undefined) return undefined;
  const accessKeyId = given(variables['AWS_ACCESS_KEY_ID']);
  const secretAccessKey = given(variables['AWS_SECRET_ACCESS_KEY']);
  const sessionToken = given(variables['AWS_SESSION_TOKEN']);
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new SluiceError('ERR_USAGE', 'SLUICE_BLOBS_URL names a bucket, but there are no keys for it', {
      hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name files with them in `blobs` of a configuration file.',
    });
  }
  return Object.freeze({ url, accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) });
}

function secondsToLive(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 3 && seconds <= 3_600) return seconds;
  throw new SluiceError(
    'ERR_USAGE',
    `SLUICE_RUNNER_TTL is ${JSON.stringify(text)}, which is no number from 3 to 3600`,
    {
      hint: 'Give the seconds after which a runner that is not heard of counts as dead.',
    },
  );
}

function clusterConfig(variables: Environment['variables']): ClusterConfig {
  const text = (name: string, otherwise = ''): string => given(variables[name]) ?? otherwise;
  const host = given(variables['KUBERNETES_SERVICE_HOST']);
  return {
    kubeconfig: given(variables['KUBECONFIG']),
    context: given(variables['SLUICE_CONTEXT']),
    home: given(variables['HOME']),
    inCluster: host === undefined ? undefined : { host, port: text('KUBERNETES_SERVICE_PORT', '443') },
    namespace: text('SLUICE_NAMESPACE'),
    agentUrl: text('SLUICE_AGENT_URL'),
    agentPort: port(text('SLUICE_AGENT_PORT', '0')),
    agentImage: text('SLUICE_AGENT_IMAGE'),
    images: {
      prefix: text('SLUICE_IMAGE_PREFIX'),
      tag: text('SLUICE_IMAGE_TAG', 'latest'),
      pinned: pinnedImages(text('SLUICE_IMAGES')),
    },
  };
}

/** `postgres=registry.example/postgres@sha256:… node-24=…` */
function pinnedImages(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(/[\s,]+/).filter(Boolean);
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name, reference] = /^([a-z0-9][a-z0-9.-]*)=(.+)$/.exec(pair) ?? [];
      if (name !== undefined && reference !== undefined) return [name, reference];
      throw new SluiceError('ERR_USAGE', `SLUICE_IMAGES has ${JSON.stringify(pair)}, which is no NAME=REFERENCE`, {
        hint: 'Separate them by spaces or commas: `postgres=registry.example/postgres:17 node-24=…`.',
      });
    }),
  );
}

/** All of it or none: a release needs a registry to be in, and an app a gateway to be reached by. */
function backendsConfig(variables: Environment['variables']): BackendsConfig | undefined {
  const domain = given(variables['SLUICE_DOMAIN']);
  if (domain === undefined) return undefined;
  const needed = (name: string): string => {
    const value = given(variables[name]);
    if (value !== undefined) return value;
    throw new SluiceError('ERR_USAGE', `SLUICE_DOMAIN is set and ${name} is not`, {
      hint: 'docs/backends.md says what each is for.',
    });
  };
  const [, namespace, name] = /^([a-z0-9-]+)\/([a-z0-9.-]+)$/.exec(needed('SLUICE_GATEWAY')) ?? [];
  if (namespace === undefined || name === undefined) {
    throw new SluiceError('ERR_USAGE', `SLUICE_GATEWAY is ${JSON.stringify(variables['SLUICE_GATEWAY'])}`, {
      hint: 'Give namespace and name of the Gateway: `gateway/public`.',
    });
  }
  const gatewayUrl = needed('SLUICE_GATEWAY_URL').replace(/\/+$/, '');
  if (!URL.canParse(gatewayUrl)) {
    throw new SluiceError('ERR_USAGE', `SLUICE_GATEWAY_URL is ${JSON.stringify(gatewayUrl)}, which is no address`, {
      hint: 'Give the address at which pods reach the gateway: `http://gateway.example`.',
    });
  }
  return Object.freeze({
    domain,
    gateway: Object.freeze({ namespace, name }),
    gatewayUrl,
    registry: needed('SLUICE_REGISTRY').replace(/\/+$/, ''),
    ...buildsConfig(given(variables['SLUICE_BUILDS'])),
  });
}

/** What an operator has to want: pods that build have more rights than any other of a backend. */
function buildsConfig(level: string | undefined): Pick<BackendsConfig, 'builds'> {
  if (level === undefined) return {};
  if (level === 'baseline') return { builds: level };
  throw new SluiceError('ERR_USAGE', `SLUICE_BUILDS is ${JSON.stringify(level)}`, {
    hint: 'Set it to `baseline`, or leave it out: docs/backends.md, "Containerfiles".',
  });
}

/** As docker, podman and skopeo look for credentials, but for those of helper programs. */
function registriesConfig(variables: Environment['variables']): RegistriesConfig {
  const home = given(variables['HOME']);
  const folder = given(variables['DOCKER_CONFIG']) ?? (home === undefined ? undefined : join(home, '.docker'));
  return {
    authFile: given(variables['REGISTRY_AUTH_FILE']),
    usualAuthFile: folder === undefined ? undefined : join(folder, 'config.json'),
    plainHttp: (variables['SLUICE_PLAIN_HTTP_REGISTRIES'] ?? '').split(/[\s,]+/).filter(Boolean),
  };
}

/** All of it or none: an issuer whose audience is not checked would let in tokens that were made for others. */
function issuerConfig(variables: Environment['variables']): IssuerConfig | undefined {
  const issuer = given(variables['SLUICE_OIDC_ISSUER']);
  if (issuer === undefined) return undefined;
  const needed = (name: string): string => {
    const value = given(variables[name]);
    if (value !== undefined) return value;
    throw new SluiceError('ERR_USAGE', `SLUICE_OIDC_ISSUER is set and ${name} is not`, {
      hint: 'docs/api.md says what each is for.',
    });
  };
  const jwksUrl = needed('SLUICE_OIDC_JWKS_URL');
  if (!URL.canParse(jwksUrl)) {
    throw new SluiceError('ERR_USAGE', `SLUICE_OIDC_JWKS_URL is ${JSON.stringify(jwksUrl)}, which is no address`, {
      hint: 'Give the whole address, https://…, of the keys.',
    });
  }
  return Object.freeze({
    issuer,
    audience: needed('SLUICE_OIDC_AUDIENCE'),
    jwksUrl,
    roleClaim: given(variables['SLUICE_OIDC_ROLE_CLAIM']) ?? 'sluice_role',
    repositoriesClaim: given(variables['SLUICE_OIDC_REPOSITORIES_CLAIM']) ?? 'sluice_repositories',
  });
}

function lookAhead(variables: Environment['variables']): Config['lookAhead'] {
  const hint = 'Give the number of attempts that may wait prepared; 0 for none.';
  const amount = (name: 'CPU' | 'MEMORY', otherwise: string): number => {
    const origin = `SLUICE_LOOK_AHEAD_${name}`;
    const text = given(variables[origin]) ?? otherwise;
    const value = quantity(text);
    if (value !== undefined && value >= 0) return value;
    throw new SluiceError('ERR_USAGE', `${origin} is ${JSON.stringify(text)}, which is no quantity of Kubernetes`, {
      hint: 'Give cores, `2` or `500m`, or bytes with a unit, `4Gi`.',
    });
  };
  return {
    attempts: count(variables['SLUICE_LOOK_AHEAD'], 'SLUICE_LOOK_AHEAD', hint) ?? defaultLookAhead.attempts,
    cpu: amount('CPU', defaultLookAhead.cpu),
    memory: amount('MEMORY', defaultLookAhead.memory),
  };
}

function count(text: string | undefined, origin: string, hint: string): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new SluiceError('ERR_USAGE', `${origin} is ${JSON.stringify(text)}, which is no number from 0 to 999`, {
    hint,
  });
}

function runsPerRepository(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new SluiceError(
    'ERR_USAGE',
    `SLUICE_RUNS_PER_REPOSITORY is ${JSON.stringify(text)}, which is no number from 1 to 999`,
    {
      hint: 'Give how many runs of one repository may be under way at once, at all servers together.',
    },
  );
}

/** By the variables that every exporter knows; without an address there is nowhere to send traces. */
function wantsTraces(variables: Environment['variables']): boolean {
  const addresses = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (variables['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || variables['OTEL_TRACES_EXPORTER'] === 'none')
    return false;
  return addresses.some((name) => given(variables[name]) !== undefined);
}

function pollMs(text: string | undefined): number | undefined {
  if (text === undefined) return defaultPollMs;
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds <= 86_400) return seconds === 0 ? undefined : seconds * 1_000;
  throw new SluiceError(
    'ERR_USAGE',
    `SLUICE_POLL_SECONDS is ${JSON.stringify(text)}, which is no number from 0 to 86400`,
    {
      hint: 'Give the seconds between two looks at the refs of a repository; 0 for neither looks nor schedules.',
    },
  );
}

function port(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value < 65_536) return value;
  throw new SluiceError('ERR_USAGE', `SLUICE_AGENT_PORT is ${JSON.stringify(text)}, which is no port`, {
    hint: 'Give a number from 0 (any free one) to 65535.',
  });
}

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function jobs(text: string | undefined, origin: string): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new SluiceError('ERR_USAGE', `${origin} is ${JSON.stringify(text)}, which is no number from 1 to 9999`, {
    hint: 'Give the number of steps that may run at once.',
  });
}

/** https://no-color.org and https://force-color.org; the wish for no colour wins. */
function color(variables: Environment['variables']): Config['color'] {
  if (given(variables['NO_COLOR']) !== undefined) return 'never';
  const forced = given(variables['FORCE_COLOR']);
  if (forced !== undefined) return forced === '0' || forced === 'false' ? 'never' : 'always';
  return variables['TERM'] === 'dumb' ? 'never' : 'auto';
}

function secretsOf(variables: Environment['variables']): Record<string, string> {
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (name.startsWith(secretPrefix) && value) secrets[name.slice(secretPrefix.length)] = value;
  }
  return secrets;
}
