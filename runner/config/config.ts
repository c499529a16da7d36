import type { OwnImages } from '../model/own-images.ts';

export const executorNames = ['local', 'kubernetes'] as const;

/** How the Kubernetes executor reaches its cluster, and pods reach it. */
export interface ClusterConfig {
  /** Paths of kubeconfig files as in KUBECONFIG; without them that of the home folder. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly home: string | undefined;
  /** Where a pod reaches the API server, for a runner that sits in one. */
  readonly inCluster: { readonly host: string; readonly port: string } | undefined;
  /** '' for that of the context. */
  readonly namespace: string;
  /** The address at which pods reach this machine, without a path; '' for the address that the cluster is reached from. */
  readonly agentUrl: string;
  readonly agentPort: number;
  /** '' for the one of our own. */
  readonly agentImage: string;
  readonly images: OwnImages;
}

/** Where backends are deployed: what is the same for all of them. */
export interface BackendsConfig {
  /** Domain below which each backend has its hosts. */
  readonly domain: string;
  /** The Gateway that routes attach to. */
  readonly gateway: { readonly namespace: string; readonly name: string };
  /** Where pods reach the gateway, without a path. */
  readonly gatewayUrl: string;
  /** Host, and perhaps a path, that images of releases are pushed to. */
  readonly registry: string;
  /** Pod Security level of the namespaces in which Containerfiles are built; without it none are. */
  readonly builds?: 'baseline';
}

/** An OpenID Connect provider whose tokens the API takes. */
export interface IssuerConfig {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  /** Claim with a role, and claim with a list of repositories; `*` in it stands for all. */
  readonly roleClaim: string;
  readonly repositoriesClaim: string;
}

/** A PostgreSQL database that several runners share. */
export interface DatabaseConfig {
  readonly url: string;
  /** File with the password, for a URL without one. */
  readonly passwordFile?: string;
  /** How long a runner that is not heard of counts as alive, ms. */
  readonly ttlMs: number;
}

/** A bucket of an S3-compatible store. */
export interface BucketConfig {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Registries that images come from and go to. */
export interface RegistriesConfig {
  /** File with credentials that somebody named. */
  readonly authFile: string | undefined;
  /** Where the credentials of this user are, if there are any. */
  readonly usualAuthFile: string | undefined;
  /** Hosts, with port, that speak plain HTTP. */
  readonly plainHttp: readonly string[];
}

/** Everything that may differ between machines and users. Built once by `loadConfig`, frozen, passed in. */
export interface Config {
  /** Data folder of this user: store, blobs, logs. */
  readonly home: string;
  /** Undefined: SQLite in the data folder. */
  readonly database: DatabaseConfig | undefined;
  /** Where blobs are; undefined: in the data folder. */
  readonly bucket: BucketConfig | undefined;
  /** How many attempts may be under way at once. */
  readonly jobs: number;
  /** Where a server answers; port 0 for any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The address that people and forges know the server by; '' for the one that it listens at. */
  readonly url: string;
  /** File that lists who is told of the ends of runs; undefined for nobody. */
  readonly subscribersFile: string | undefined;
  /** How many runs a server drives at once. */
  readonly runs: number;
  /** How many runs of one repository are under way at once, at all servers together. */
  readonly runsPerRepository: number;
  /** How often the refs and schedules of a repository are looked at, ms; undefined for never. */
  readonly pollMs: number | undefined;
  /** Whether traces of runs are sent to where the OTEL_* variables say. */
  readonly traces: boolean;
  /** Attempts of a run that may wait prepared for their go, and the cores and bytes that they may request. */
  readonly lookAhead: { readonly attempts: number; readonly cpu: number; readonly memory: number };
  readonly executor: (typeof executorNames)[number];
  readonly cluster: ClusterConfig;
  /** Undefined: pipelines can be run, and backends not be deployed. */
  readonly backends: BackendsConfig | undefined;
  readonly registries: RegistriesConfig;
  readonly color: 'always' | 'never' | 'auto';
  /** Whether a terminal can show a picture that is drawn again and again. */
  readonly liveView: boolean;
  /** Values that steps may ask for in `secrets`, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Undefined: only tokens of our own are taken. */
  readonly issuer: IssuerConfig | undefined;
  /** Who starts, cancels and approves. */
  readonly actor: string;
}
