import { randomBytes } from 'node:crypto';
import type { ClusterClient } from '../../../runner/cluster/cluster-client.ts';
import type { Condition, KubernetesObject } from '../../../runner/cluster/objects.ts';
import type { Resource } from '../../../runner/cluster/resources.ts';
import type { Json } from '../../../runner/model/json.ts';
import { restricted } from '../../../runner/environments/kubernetes/confinement.ts';
import { costOfController } from './peers.ts';
import type { PeerAt } from './peers.ts';
import { isTrue, timeObjects } from './time-objects.ts';
import type { Cost, Trial } from './trial.ts';

interface TektonRun extends KubernetesObject {
  readonly spec: Json;
  readonly status?: { readonly conditions?: readonly Condition[] };
}

type At = Pick<PeerAt, 'namespace' | 'image'>;

const tekton = (kind: string, plural: string): Resource<TektonRun> => ({
  apiVersion: 'tekton.dev/v1',
  kind,
  plural,
  namespaced: true,
});
const taskRuns = tekton('TaskRun', 'taskruns');
const pipelineRuns = tekton('PipelineRun', 'pipelineruns');
const pod = { serviceAccountName: 'default', podTemplate: { securityContext: restricted.pod } };

/** A TaskRun of one step, Pipelines of five tasks in turn and of twenty at once, and the way to have five steps in one pod. */
export function tektonTrials(cluster: ClusterClient, at: PeerAt): readonly Trial[] {
  const accounts = [at.namespace, 'tekton-pipelines'];
  const cost = (time: () => Promise<number>): Promise<Cost> => costOfController(at.pid, time);
  const { runner } = at;
  const slow = { runner, accounts, isSlow: true };
  return [
    { runner, accounts, shape: 'one', run: () => cost(() => timeTask(cluster, at, 1)) },
    { ...slow, shape: 'five', run: () => cost(() => timePipeline(cluster, at, 5, true)) },
    { ...slow, runner: `${runner}, in one pod`, shape: 'five', run: () => cost(() => timeTask(cluster, at, 5)) },
    { ...slow, shape: 'twenty', run: () => cost(() => timePipeline(cluster, at, 20)) },
  ];
}

/** Milliseconds that a TaskRun of so many steps takes, all of them containers of one pod. */
function timeTask(cluster: ClusterClient, { namespace, image }: At, steps: number): Promise<number> {
  return time(cluster, namespace, taskRuns, { ...pod, timeout: '1h0m0s', taskSpec: task(image, steps) });
}

/** Milliseconds that a PipelineRun of so many tasks takes, each of them a pod of one step; all at once, or in turn. */
function timePipeline(
  cluster: ClusterClient,
  { namespace, image }: At,
  count: number,
  inTurn = false,
): Promise<number> {
  const tasks = Array.from({ length: count }, (_, index) => ({
    name: `s${index}`,
    taskSpec: task(image, 1),
    ...(inTurn && index > 0 && { runAfter: [`s${index - 1}`] }),
  }));
  const spec = { taskRunTemplate: pod, timeouts: { pipeline: '1h0m0s' }, pipelineSpec: { tasks } };
  return time(cluster, namespace, pipelineRuns, spec);
}

function task(image: string, steps: number): Json {
  return {
    steps: Array.from({ length: steps }, (_, index) => ({
      name: `s${index}`,
      image,
      command: ['true'],
      securityContext: restricted.container,
    })),
  };
}

function time(cluster: ClusterClient, namespace: string, resource: Resource<TektonRun>, spec: Json): Promise<number> {
  const name = `tekton-${randomBytes(6).toString('hex')}`;
  return timeObjects(cluster, { resource, namespace, objects: [{ metadata: { name }, spec }], hasEnded });
}

function hasEnded({ metadata, status }: TektonRun): boolean {
  const failure = status?.conditions?.find(({ type, status: is }) => type === 'Succeeded' && is === 'False');
  if (failure) throw new Error(`${metadata.name} of Tekton failed: ${failure.message}`);
  return isTrue(status?.conditions, 'Succeeded');
}
