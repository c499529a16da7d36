import { randomBytes } from 'node:crypto';
import type { ClusterClient } from '../../../runner/cluster/cluster-client.ts';
import type { KubernetesObject } from '../../../runner/cluster/objects.ts';
import type { Resource } from '../../../runner/cluster/resources.ts';
import type { Json } from '../../../runner/model/json.ts';
import { restricted } from '../../../runner/environments/kubernetes/confinement.ts';
import { costOfController } from './peers.ts';
import type { PeerAt } from './peers.ts';
import { createAccount } from './runner-account.ts';
import { timeObjects } from './time-objects.ts';
import type { Cost, Trial } from './trial.ts';

interface Workflow extends KubernetesObject {
  readonly spec: Json;
  readonly status?: { readonly phase?: string; readonly message?: string };
}

const workflows: Resource<Workflow> = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Workflow',
  plural: 'workflows',
  namespaced: true,
};

/** Of the pods, with the rights that Argo's manifests recommend as the least. */
const account = 'argo-steps';
const rules = [{ apiGroups: ['argoproj.io'], resources: ['workflowtaskresults'], verbs: ['create', 'patch'] }];

/** Workflows of one step, of five in turn and of twenty at once. */
export function argoTrials(cluster: ClusterClient, at: PeerAt): readonly Trial[] {
  const trial = { runner: at.runner, accounts: [at.namespace, 'argo'] };
  const time = (count: number, inTurn = false): Promise<Cost> =>
    costOfController(at.pid, () => timeWorkflow(cluster, at, count, inTurn));
  createAccount(at.namespace, account, rules);
  return [
    { ...trial, shape: 'one', run: () => time(1) },
    { ...trial, isSlow: true, shape: 'five', run: () => time(5, true) },
    { ...trial, isSlow: true, shape: 'twenty', run: () => time(20) },
  ];
}

/** Milliseconds that a Workflow of so many steps takes, each of them a pod; all at once, or in turn. */
function timeWorkflow(
  cluster: ClusterClient,
  { namespace, image }: PeerAt,
  count: number,
  inTurn: boolean,
): Promise<number> {
  const steps = Array.from({ length: count }, (_, index) => ({ name: `s${index}`, template: 'step' }));
  const container = { image, command: ['true'], securityContext: restricted.container };
  const step = { name: 'step', container };
  const all = { name: 'all', steps: inTurn ? steps.map((one) => [one]) : [steps] };
  const spec: Json = {
    serviceAccountName: account,
    securityContext: restricted.pod,
    ...(count === 1 ? { entrypoint: 'step', templates: [step] } : { entrypoint: 'all', templates: [all, step] }),
  };
  const name = `argo-${randomBytes(6).toString('hex')}`;
  return timeObjects(cluster, {
    resource: workflows,
    namespace,
    objects: [{ metadata: { name }, spec }],
    hasEnded: ({ status: { phase, message } = {} }) => {
      if (phase === 'Failed' || phase === 'Error') throw new Error(`${name} of Argo Workflows failed: ${message}`);
      return phase === 'Succeeded';
    },
  });
}
