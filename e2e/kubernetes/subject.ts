import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import PQueue from 'p-queue';
import { connectCluster } from '../../runner/cluster/connect.ts';
import type { ClusterClient } from '../../runner/cluster/cluster-client.ts';
import { jobs, pods, secrets } from '../../runner/cluster/resources.ts';
import type { Subject } from '../../runner/executors/executor-contract.ts';
import type { AttemptSpec, Executor } from '../../runner/executors/executor.ts';
import { labels } from '../../runner/executors/kubernetes/job-spec.ts';
import { createKubernetesExecutor } from '../../runner/executors/kubernetes/kubernetes-executor.ts';
import { reachableAddress } from '../../runner/executors/kubernetes/reachable-address.ts';
import type { KubernetesSettings } from '../../runner/executors/kubernetes/settings.ts';
import type { Json } from '../../runner/model/json.ts';

const images = JSON.parse(process.env['E2E_IMAGES'] ?? '{}') as Readonly<Record<string, string>>;

export function connect(): Promise<ClusterClient> {
  return connectCluster({ kubeconfig: process.env['KUBECONFIG'] });
}

export interface Place {
  readonly namespace: string;
  readonly owner: string;
}

/** An executor on the cluster of the tests, with short patience. */
export function executorIn({ namespace, owner }: Place, change: Partial<KubernetesSettings> = {}): Executor {
  return createKubernetesExecutor({
    connect,
    settings: (_, port) => ({
      namespace,
      owner,
      agentImage: images['agent'] ?? '',
      agentUrl: `http://${reachableAddress()}:${port}`,
      images: { prefix: '', tag: 'latest', pinned: images },
      user: 1000,
      graceMs: 1_000,
      patienceMs: 10_000,
      placeMs: 10_000,
      absenceMs: 120_000,
      ...change,
    }),
    listen: { host: '0.0.0.0', port: 0 },
    isOver: () => Promise.resolve(false),
  });
}

/** Two cores carry a few pods at once. */
const slots = new PQueue({ concurrency: 4 });

/** For the contract of executors: each subject has an installation of its own in a common namespace. */
export async function subjectIn(namespace: string): Promise<Subject> {
  const place = { namespace, owner: randomBytes(8).toString('hex') };
  const free = await takeSlot();
  const executor = executorIn(place);
  const close = executor.close.bind(executor);
  executor.close = () => close().finally(free);
  return {
    executor,
    baseNames: ['HOSTNAME'],
    leftovers: () => leftoversOf(place),
    abandon: (spec) => abandon(place, spec),
  };
}

function takeSlot(): Promise<() => void> {
  return new Promise((resolve) => {
    void slots.add(() => {
      const { promise, resolve: free } = Promise.withResolvers<undefined>();
      resolve(() => free(undefined));
      return promise;
    });
  });
}

/** What is there after everything that was deleted had half a minute to go. */
async function leftoversOf({ namespace, owner }: Place): Promise<readonly string[]> {
  const cluster = await connect();
  try {
    for (let tries = 0; ; tries += 1) {
      const names = await namesOf(cluster, { namespace, labelSelector: `${labels.owner}=${owner}` });
      if (names.length === 0 || tries === 60) return names;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  } finally {
    await cluster.close();
  }
}

async function namesOf(
  cluster: ClusterClient,
  at: { readonly namespace: string; readonly labelSelector: string },
): Promise<readonly string[]> {
  const lists = await Promise.all([cluster.list(jobs, at), cluster.list(pods, at), cluster.list(secrets, at)]);
  return lists.flatMap(({ items }) => items.map(({ metadata }) => metadata.name));
}

async function abandon(place: Place, spec: AttemptSpec): Promise<Readonly<Record<string, Json>>> {
  const program = fileURLToPath(new URL('lost-runner.ts', import.meta.url));
  const runner = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  runner.stdin.end(JSON.stringify({ place, spec }));
  const [placed] = (await once(runner.stdout, 'data')) as [Buffer];
  const ended = once(runner, 'exit');
  runner.kill('SIGKILL');
  await ended;
  return JSON.parse(placed.toString()) as Readonly<Record<string, Json>>;
}
