import { access, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { SluiceError } from '../model/errors.ts';
import { systemClock } from '../model/clock.ts';
import type { ClusterClient } from './cluster-client.ts';
import { HttpClusterClient } from './http-cluster-client.ts';
import type { ClientLimits } from './http-cluster-client.ts';
import { KubeconfigCredentials } from './kubeconfig-credentials.ts';
import { readKubeconfig } from './read-kubeconfig.ts';
import type { Target } from './read-kubeconfig.ts';
import { isRecord } from './read-object.ts';
import { Sender } from './sender.ts';
import { Transport } from './transport.ts';

export interface ConnectOptions {
  /** A path, or several as in KUBECONFIG, of which those that are missing are passed over. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** Holds `.kube/config`, which is used when no kubeconfig is given. */
  readonly home?: string | undefined;
  /** The pod that this process runs in; used when there is no kubeconfig. */
  readonly inCluster?: InCluster | undefined;
  readonly userAgent?: string;
  readonly limits?: Partial<ClientLimits>;
}

export interface InCluster {
  /** KUBERNETES_SERVICE_HOST. */
  readonly host: string;
  /** KUBERNETES_SERVICE_PORT. */
  readonly port: string;
  readonly folder?: string;
}

const defaults: ClientLimits = {
  concurrency: 16,
  perSecond: 50,
  deadlineMs: 30_000,
  pageSize: 500,
  // The server sends a bookmark each minute or so.
  silenceMs: 90_000,
};

/** Finds a cluster in the order of kubectl. No request is sent yet. ERR_USAGE if there is none, or the kubeconfig is broken. */
export async function connectCluster(options: ConnectOptions): Promise<ClusterClient> {
  const target = await findTarget(options);
  refuseUnsupported(target);
  const { proxyUrl, server } = target.cluster;
  const limits = { ...defaults, ...options.limits };
  const transport = new Transport({ connections: limits.concurrency, proxy: proxyUrl });
  const sender = new Sender({
    server,
    transport,
    credentials: new KubeconfigCredentials(target),
    userAgent: options.userAgent ?? 'sluice',
    clock: systemClock,
  });
  return new HttpClusterClient(sender, transport, { ...limits, namespace: target.namespace });
}

function refuseUnsupported({ cluster, user }: Target): void {
  const { proxyUrl } = cluster;
  if (proxyUrl !== undefined && !/^https?:/.test(proxyUrl))
    throw new SluiceError('ERR_UNSUPPORTED', `cluster ${cluster.name} has the proxy-url ${proxyUrl}`, {
      hint: 'Only http and https proxies are supported.',
    });
  const provider: unknown = user.authProvider;
  if (!isRecord(provider) || provider['name'] === 'oidc' || provider['name'] === 'tokenFile') return;
  throw new SluiceError('ERR_UNSUPPORTED', `user ${user.name} has the auth-provider ${String(provider['name'])}`, {
    hint: 'Kubernetes 1.26 took it out. Use its plugin instead, such as gke-gcloud-auth-plugin or kubelogin.',
  });
}

async function findTarget({ context, home, inCluster, kubeconfig }: ConnectOptions): Promise<Target> {
  if (kubeconfig !== undefined) return await readKubeconfig(await existing(kubeconfig), context);
  const own = home === undefined ? undefined : join(home, '.kube', 'config');
  if (own !== undefined && (await exists(own))) return await readKubeconfig([own], context);
  if (inCluster) return await serviceAccount(inCluster);
  throw new SluiceError('ERR_USAGE', `no cluster: no kubeconfig is given and ${own ?? '~/.kube/config'} is not there`, {
    hint: 'Give one with --kubeconfig or KUBECONFIG.',
  });
}

/** A single path must be there, and reading it says so if it is not. */
async function existing(kubeconfig: string): Promise<readonly string[]> {
  const files = kubeconfig.split(delimiter).filter((file) => file !== '');
  if (files.length === 1) return files;
  const found = await Promise.all(files.map(exists));
  return files.filter((_, index) => found[index]);
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}

/** https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
async function serviceAccount({ folder = serviceAccountFolder, host, port }: InCluster): Promise<Target> {
  const config = { tokenFile: join(folder, 'token') };
  const address = host.includes(':') ? `[${host}]` : host;
  return {
    cluster: {
      name: 'in-cluster',
      server: `https://${address}:${port}`,
      caFile: join(folder, 'ca.crt'),
      skipTLSVerify: false,
    },
    user: { name: 'service-account', authProvider: { name: 'tokenFile', config } },
    namespace: await readFile(join(folder, 'namespace'), 'utf8').then(
      (text) => text.trim(),
      () => 'default',
    ),
  };
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
