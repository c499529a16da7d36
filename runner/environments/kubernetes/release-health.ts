import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { find } from '../../cluster/find.ts';
import type { Container, CoreEvent, Deployment, Pod } from '../../cluster/objects.ts';
import { deployments, events, pods } from '../../cluster/resources.ts';
import { explainRefusal } from '../../executors/kubernetes/explain/explain-refusal.ts';
import { waitingReason } from '../../executors/kubernetes/explain/waiting-reason.ts';
import type { EnvironmentName, Release } from '../release.ts';
import type { ReleaseHealth } from '../site.ts';
import { labels, releaseName } from './names.ts';

/** What passes by itself (a registry that does not answer, a volume) is waited for that long. */
const patienceMs = 60_000;
/** Want of room, too: in a namespace of its own nobody is about to make any. */
const roomMs = 60_000;
const tailLines = 15;
/** A second end is no accident any more. */
const mostRestarts = 2;

/** How the pods of a release are, by what the cluster shows of them now. A release that is well costs one request a service. */
export async function releaseHealth(
  cluster: ClusterClient,
  namespace: string,
  environment: EnvironmentName,
  release: Release,
): Promise<ReleaseHealth> {
  const looks = release.services.map(async ({ name }): Promise<ReleaseHealth> => {
    const at = { namespace, name: releaseName(environment, name, release.name) };
    const deployment = await find(cluster, deployments, at);
    if (deployment === undefined) return { state: 'failed', message: `${name}: its Deployment is not there` };
    if (isAvailable(deployment)) return { state: 'healthy' };
    const selector = `${labels.environment}=${environment},${labels.release}=${release.name},${labels.service}=${name}`;
    const { items } = await cluster.list(pods, { namespace, labelSelector: selector });
    return troubleOf(name, deployment, items, await eventsOf(cluster, namespace, items));
  });
  const found = await Promise.all(looks);
  return (
    found.find(({ state }) => state === 'failed') ??
    found.find(({ state }) => state === 'starting') ?? { state: 'healthy' }
  );
}

/** What is told of the pods that are not ready, of each alone: a namespace may have thousands of events. */
async function eventsOf(cluster: ClusterClient, namespace: string, own: readonly Pod[]): Promise<readonly CoreEvent[]> {
  const unready = own.filter((pod) => appOf(pod)?.ready !== true);
  const lists = unready.map(({ metadata: { uid } }) =>
    cluster.list(events, { namespace, fieldSelector: `involvedObject.uid=${uid}` }),
  );
  return (await Promise.all(lists)).flatMap(({ items }) => items);
}

/** Of a service that is not available. */
function troubleOf(
  service: string,
  deployment: Deployment,
  own: readonly Pod[],
  told: readonly CoreEvent[],
): ReleaseHealth {
  const refused = refusal(deployment);
  if (refused !== undefined) return { state: 'failed', message: `${service}: ${refused}` };
  for (const pod of own) {
    const message = crashed(pod) ? lastWords(pod) : hopeless(pod, told);
    if (message !== undefined) return { state: 'failed', message: `${service}: ${message}` };
  }
  const { readyReplicas = 0 } = deployment.status ?? {};
  const waiting = own.map((pod) => reasonOf(pod, told)?.message).find((message) => message !== undefined);
  const probed = own.map((pod) => probeAnswer(pod, told)).find((message) => message !== undefined);
  const count = `${readyReplicas} of ${deployment.spec.replicas ?? 1} ready${probed === undefined ? '' : `; ${probed}`}`;
  return { state: 'starting', message: `${service}: ${waiting ?? count}` };
}

function isAvailable({ metadata, spec, status }: Deployment): boolean {
  const { observedGeneration = 0, availableReplicas = 0, updatedReplicas = 0 } = status ?? {};
  const wanted = spec.replicas ?? 1;
  return observedGeneration >= (metadata.generation ?? 0) && availableReplicas >= wanted && updatedReplicas >= wanted;
}

/** The API server will not have its pods: quota, admission. */
function refusal({ status }: Deployment): string | undefined {
  const failure = status?.conditions?.find((condition) => condition.type === 'ReplicaFailure');
  if (failure?.status !== 'True' || failure.message === undefined) return undefined;
  const { hope, message } = explainRefusal(failure.message);
  return hope === 'soon' ? undefined : message;
}

function appOf(pod: Pod) {
  return pod.status?.containerStatuses?.find(({ name }) => name === ('app' satisfies Container['name']));
}

function crashed(pod: Pod): boolean {
  const status = appOf(pod);
  return status !== undefined && status.restartCount >= mostRestarts && !status.ready;
}

function reasonOf(pod: Pod, told: readonly CoreEvent[]) {
  return waitingReason({ pod, events: told, now: Date.now() }, patienceMs);
}

function hopeless(pod: Pod, told: readonly CoreEvent[]): string | undefined {
  const waiting = reasonOf(pod, told);
  if (waiting === undefined) return undefined;
  return waiting.final || Date.now() - waiting.since >= roomMs ? waiting.message : undefined;
}

/** How it ended, and what it wrote before that: the kubelet notes the end of the log with the end of the container, where the log itself may be gone. */
function lastWords(pod: Pod): string {
  const { state, lastState } = appOf(pod) ?? {};
  const { exitCode, reason, message = '' } = state?.terminated ?? lastState?.terminated ?? {};
  const how =
    reason === 'OOMKilled'
      ? 'was ended because it used more memory than it may'
      : `ended ${exitCode === undefined ? 'again and again' : `with exit code ${exitCode}`}`;
  const lines = message.trim().split('\n').slice(-tailLines);
  return lines.join('') === '' ? `it ${how}` : `it ${how}; its last lines:\n${lines.join('\n')}`;
}

/** What the kubelet says of a pod that runs and is not ready. */
function probeAnswer({ metadata: { uid } }: Pod, told: readonly CoreEvent[]): string | undefined {
  const about = told.filter(({ reason, involvedObject }) => reason === 'Unhealthy' && involvedObject.uid === uid);
  return about.at(-1)?.message?.trim();
}
