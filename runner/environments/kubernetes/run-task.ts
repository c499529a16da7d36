import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { failedWith } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { Draft, EnvironmentVariable, Job, Pod } from '../../cluster/objects.ts';
import { events, jobs, pods } from '../../cluster/resources.ts';
import { waitingReason } from '../../executors/kubernetes/explain/waiting-reason.ts';
import { SluiceError } from '../../model/errors.ts';
import type { EnvironmentName, Release } from '../release.ts';
import type { SiteTask, TaskEnd } from '../site.ts';
import { confinedJob } from './confined-job.ts';
import { databaseSecret, labels, managed } from './names.ts';

interface NamespaceTask {
  readonly environment: EnvironmentName;
  readonly release: Release;
  readonly task: SiteTask;
  /** Whether the environment has a database. */
  readonly hasDatabase: boolean;
}

const taskLabel = 'sluice.dev/task';
const groupLabel = 'sluice.dev/task-group';
const lookMs = 250;
const patienceMs = 60_000;
/** As a shell tells of a command that was killed. */
const killed = 137;
/** The end of one whose pod and Job somebody took away. */
export const displaced: TaskEnd = { exitCode: killed, output: 'its pod was ended before it was done' };
const tailLines = 500;

/** One Job with one pod, never repeated by the cluster. Found by its name, it is adopted: a killed gate goes on with what it began. */
export async function runTask(
  cluster: ClusterClient,
  namespace: string,
  namespaceTask: NamespaceTask,
): Promise<TaskEnd> {
  return runJob(cluster, namespace, namespaceTask.task, taskJob(namespaceTask));
}

/** The same for a Job of one container `task`, with the labels of `taskLabels`. */
export async function runJob(
  cluster: ClusterClient,
  namespace: string,
  task: Pick<SiteTask, 'name' | 'group' | 'signal'>,
  body: Draft<Job>,
): Promise<TaskEnd> {
  await endTasks(cluster, namespace, task.group, task);
  await cluster.create(jobs, { namespace }, body).catch((error: unknown) => {
    if (!failedWith(error, 'AlreadyExists')) throw error;
  });
  let waiting: string | undefined;
  for (;;) {
    const pod = await podOf(cluster, namespace, task.name);
    const ended = pod?.status?.containerStatuses?.[0]?.state?.terminated;
    if (pod !== undefined && ended !== undefined) {
      const output = await outputOf(cluster, pod);
      if (output === undefined) return displaced;
      const exceeded = ended.exitCode === 0 ? undefined : await exceededBy(cluster, namespace, task.name, ended.reason);
      return { exitCode: ended.exitCode, output, ...(exceeded && { exceeded }) };
    }
    const job = pod === undefined ? await find(cluster, jobs, { namespace, name: task.name }) : undefined;
    if (pod === undefined && isOver(job)) return lost(job, waiting);
    waiting = await refuseHopeless(cluster, namespace, pod ?? job, { pod, job });
    await sleep(lookMs, undefined, { signal: task.signal }).catch((error: unknown) => {
      if (waiting === undefined) throw error;
      throw new SluiceError('ERR_ABORTED', `the task ${task.name} did not start: ${waiting}`, { cause: error });
    });
  }
}

/** Its pod is gone, and nobody will make another: the Job was deleted or has failed. */
function isOver(job: Job | undefined): boolean {
  return job === undefined || job.metadata.deletionTimestamp !== undefined || failureOf(job) !== undefined;
}

/** `waiting` is why it had not started. */
function lost(job: Job | undefined, waiting: string | undefined): TaskEnd {
  if (!isLate(job)) return displaced;
  return waiting === undefined
    ? { exitCode: killed, output: 'it took longer than it may', exceeded: 'time' }
    : { exitCode: killed, output: `it did not start: ${waiting}` };
}

/** What the pod was ended for, if by the cluster: of its time the Job tells. */
async function exceededBy(
  cluster: ClusterClient,
  namespace: string,
  name: string,
  reason: string | undefined,
): Promise<TaskEnd['exceeded']> {
  if (reason === 'OOMKilled') return 'memory';
  return isLate(await find(cluster, jobs, { namespace, name })) ? 'time' : undefined;
}

function isLate(job: Job | undefined): boolean {
  return failureOf(job)?.reason === 'DeadlineExceeded';
}

/** Decided before its pod has ended (`FailureTarget`), and said once that has (`Failed`). */
function failureOf(job: Job | undefined) {
  return job?.status?.conditions?.find(
    ({ type, status }) => (type === 'FailureTarget' || type === 'Failed') && status === 'True',
  );
}

/**
 * Ends what an operation of the group had begun, but for one that is to go on; pods are waited for, since they may be in the middle of something. Jobs that are over
 * go too.
 */
export async function endTasks(
  cluster: ClusterClient,
  namespace: string,
  group: string,
  { name, signal }: Partial<Pick<SiteTask, 'name' | 'signal'>> = {},
): Promise<void> {
  for (;;) {
    const { items } = await cluster.list(jobs, { namespace, labelSelector: `${groupLabel}=${group}` });
    const others = items.filter(({ metadata }) => metadata.name !== name);
    if (others.length === 0) return;
    for (const { metadata } of others) {
      if (metadata.deletionTimestamp !== undefined) continue;
      await cluster.delete(jobs, { namespace, name: metadata.name }, { propagation: 'Foreground', uid: metadata.uid });
    }
    await sleep(lookMs, undefined, { signal });
  }
}

export function taskLabels(name: string, group: string): Readonly<Record<string, string>> {
  return { [taskLabel]: name, [groupLabel]: group };
}

function taskJob({ environment, release, hasDatabase, task }: NamespaceTask): Draft<Job> {
  const { name, group, script, env = {}, timeoutMs } = task;
  return confinedJob({
    name,
    labels: { ...managed, [labels.environment]: environment, [labels.role]: 'task', ...taskLabels(name, group) },
    timeoutMs,
    container: {
      name: 'task',
      image: release.services[0]?.image ?? '',
      command: ['sh', '-ec', script],
      env: [
        { name: 'SLUICE_RELEASE', value: release.name },
        { name: 'SLUICE_ENVIRONMENT', value: environment },
        { name: 'HOME', value: '/tmp' },
        ...Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
        ...(hasDatabase ? databaseVariables(environment, task.database) : []),
      ],
    },
  });
}

/** The password stays in its Secret, also where the database is another one: the kubelet puts it in the place of `$(…)`. */
function databaseVariables(environment: EnvironmentName, database: string | undefined): readonly EnvironmentVariable[] {
  const secret = databaseSecret(environment, 'migrator');
  const from = (key: string) => ({ valueFrom: { secretKeyRef: { name: secret, key } } });
  if (database === undefined) return [{ name: 'DATABASE_URL', ...from('DATABASE_URL') }];
  return [
    { name: 'DATABASE_SERVER', ...from('DATABASE_SERVER') },
    { name: 'DATABASE_PARAMETERS', ...from('DATABASE_PARAMETERS') },
    { name: 'DATABASE_URL', value: `$(DATABASE_SERVER)/${database}$(DATABASE_PARAMETERS)` },
  ];
}

async function podOf(cluster: ClusterClient, namespace: string, task: string): Promise<Pod | undefined> {
  const { items } = await cluster.list(pods, { namespace, labelSelector: `${taskLabel}=${task}` });
  return items.toSorted((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp))[0];
}

/** By what the cluster says of the pod, or of the Job as long as it has none. Answers why it waits; undefined where nothing speaks against it. */
async function refuseHopeless(
  cluster: ClusterClient,
  namespace: string,
  subject: Pod | Job | undefined,
  { pod, job }: { readonly pod: Pod | undefined; readonly job: Job | undefined },
): Promise<string | undefined> {
  if (subject === undefined || pod?.status?.phase === 'Running') return undefined;
  const { uid, name } = subject.metadata;
  const { items } = await cluster.list(events, { namespace, fieldSelector: `involvedObject.uid=${uid}` });
  const waiting = waitingReason({ pod, job, events: items, now: Date.now() }, patienceMs);
  if (waiting?.final !== true) return waiting?.message;
  throw new SluiceError('ERR_GATE', `the task ${name} cannot start: ${waiting.message}`);
}

/** Undefined when its pod went meanwhile. */
async function outputOf(cluster: ClusterClient, { metadata }: Pod): Promise<string | undefined> {
  const at = { namespace: metadata.namespace ?? '', name: metadata.name, container: 'task' };
  try {
    return (await text(await cluster.log(at, { signal: AbortSignal.timeout(10_000), tailLines }))).trim();
  } catch (error) {
    if (failedWith(error, 'NotFound')) return undefined;
    throw error;
  }
}
