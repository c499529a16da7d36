import { createHash } from 'node:crypto';
import { bootScript } from '../../agent/boot-script.ts';
import { volume } from '../../agent/folders.ts';
import { audience } from '../../agent/protocol.ts';
import type { Container, Draft, Job, JobSpec, PodSpec, Volume, VolumeMount } from '../../cluster/objects.ts';
import type { Json } from '../../model/json.ts';
import { canonicalJson } from '../../model/json.ts';
import { imageReference } from '../../model/own-images.ts';
import type { PlanResources, RunStep } from '../../model/plan.ts';
import type { AttemptKey } from '../../model/result.ts';
import { jobName } from './job-name.ts';
import type { StepAccess } from './backend-namespaces.ts';
import type { PodService } from './pod-services.ts';
import type { KubernetesSettings } from './settings.ts';

/** What has to be known of an attempt before it can wait for its go; all else comes with that. */
export interface AttemptPlan {
  readonly runId: string;
  readonly step: RunStep;
  readonly attempt: number;
  /** Names alone: values go into a Secret of their own. */
  readonly secretNames: readonly string[];
  readonly services: readonly PodService[];
  /** For a step that works with the environments of its backend. */
  readonly access?: StepAccess;
}

export const labels = {
  owner: 'sluice.dev/owner',
  run: 'sluice.dev/run',
  attempt: 'sluice.dev/attempt',
} as const;

/** Ids of people's choosing stand here, where any text may. */
export const annotations = {
  run: 'sluice.dev/run',
  step: 'sluice.dev/step',
  attempt: 'sluice.dev/attempt',
  spec: 'sluice.dev/spec-sha256',
} as const;

export const containers = {
  step: 'step',
  agent: 'agent',
  service: (name: string) => `service-${name}`,
} as const;

const volumeName = 'sluice';
const tokenFolder = '/var/run/secrets/sluice';
const tokenSeconds = 3_600;
const urlVariable = 'SLUICE_AGENT_URL';

/**
 * The Job of an attempt, field by field from our own model: nothing of a user's file becomes a field that is not named
 * here. The restricted Pod Security standard admits it. Two plain containers that start side by side, since an init
 * container or a native sidecar costs seconds (docs/kubernetes.md has the figures).
 */
export function buildJob(plan: AttemptPlan, settings: KubernetesSettings): Draft<Job> {
  const { runId, step, attempt } = plan;
  const name = jobName({ runId, step: step.id, attempt });
  const own = { [labels.owner]: settings.owner, [labels.run]: labelOf(runId), [labels.attempt]: name };
  const podLabels = { ...own, 'app.kubernetes.io/managed-by': 'sluice' };
  const spec: JobSpec = {
    backoffLimit: 0,
    completions: 1,
    parallelism: 1,
    podReplacementPolicy: 'Failed',
    activeDeadlineSeconds: Math.ceil((step.timeoutMs + settings.absenceMs) / 1000),
    template: {
      metadata: { labels: { ...plan.access?.labels, ...podLabels } },
      spec: podSpec(name, plan, settings),
    },
  };
  return {
    metadata: {
      name,
      namespace: settings.namespace,
      labels: podLabels,
      annotations: {
        [annotations.run]: runId,
        [annotations.step]: step.id,
        [annotations.attempt]: String(attempt),
        [annotations.spec]: fingerprint(spec, settings),
      },
    },
    spec,
  };
}

function podSpec(name: string, plan: AttemptPlan, settings: KubernetesSettings): PodSpec {
  return {
    restartPolicy: 'Never',
    ...(plan.access?.account !== undefined && { serviceAccountName: plan.access.account }),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: Math.ceil(settings.graceMs / 1000),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: settings.user,
      runAsGroup: settings.user,
      fsGroup: settings.user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [agent(name, settings), stepContainer(name, plan, settings), ...plan.services.map(serviceContainer)],
    volumes: [
      { name: volumeName, emptyDir: {} },
      {
        name: 'token',
        projected: { sources: [{ serviceAccountToken: { audience, expirationSeconds: tokenSeconds, path: 'token' } }] },
      },
      ...(plan.access?.account === undefined ? [] : [accountVolume]),
      ...volumesOf(plan.access).map(({ claim }) => ({ name: claim, persistentVolumeClaim: { claimName: claim } })),
    ],
  };
}

const confined: Json = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const shared: VolumeMount = { name: volumeName, mountPath: volume };

/** First, so that the kubelet starts it first: it has the most to do before the command can go. */
function agent(name: string, { agentImage, agentUrl }: KubernetesSettings): Container {
  return {
    name: containers.agent,
    image: agentImage,
    env: [
      { name: urlVariable, value: agentUrl },
      { name: 'SLUICE_JOB', value: name },
      { name: 'SLUICE_TOKEN_FILE', value: `${tokenFolder}/token` },
    ],
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    securityContext: confined,
    volumeMounts: [shared, { name: 'token', mountPath: tokenFolder, readOnly: true }],
  };
}

/** What a program in a pod expects to find where Kubernetes mounts it by itself; here the command alone gets it, and not its neighbours. */
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
const accountVolume: Volume = {
  name: 'account',
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
    ],
  },
};

function stepContainer(
  name: string,
  { step, secretNames, access }: AttemptPlan,
  settings: KubernetesSettings,
): Container {
  return {
    name: containers.step,
    image: imageReference(settings.images, step.image),
    command: ['sh', '-c', bootScript],
    ...(secretNames.length > 0 && { envFrom: [{ secretRef: { name } }] }),
    ...secretVariables(access),
    resources: { requests: quantities(step.resources), limits: quantities(step.resources) },
    securityContext: confined,
    volumeMounts: [
      shared,
      ...(access?.account === undefined
        ? []
        : [{ name: accountVolume.name, mountPath: accountFolder, readOnly: true }]),
      ...volumesOf(access).map(({ claim, path }) => ({ name: claim, mountPath: path })),
    ],
  };
}

/** Field by field, as all of a Job is. */
function quantities({ cpu, memory, 'ephemeral-storage': disk }: PlanResources) {
  return {
    ...(cpu !== undefined && { cpu }),
    ...(memory !== undefined && { memory }),
    ...(disk !== undefined && { 'ephemeral-storage': disk }),
  };
}

function volumesOf({ volumes = [] }: Pick<StepAccess, 'volumes'> = {}) {
  return volumes;
}

function secretVariables({ secretVariables: wanted }: StepAccess = { labels: {}, secretVariables: [], variables: {} }) {
  if (wanted.length === 0) return {};
  return { env: wanted.map(({ name, secret, key }) => ({ name, valueFrom: { secretKeyRef: { name: secret, key } } })) };
}

function serviceContainer({ name, image, env, args, ready }: PodService): Container {
  return {
    name: containers.service(name),
    image,
    ...(args.length > 0 && { args: [...args] }),
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
    ...(ready !== undefined && {
      readinessProbe: { exec: { command: ['sh', '-c', ready] }, periodSeconds: 1, timeoutSeconds: 10 },
    }),
    securityContext: confined,
  };
}

/** Whose Job it is; undefined for one that is not ours. */
export function attemptOf({ metadata: { annotations: says = {} } }: Job): AttemptKey | undefined {
  const { [annotations.run]: runId, [annotations.step]: step, [annotations.attempt]: attempt } = says;
  if (runId === undefined || step === undefined || attempt === undefined) return undefined;
  return { runId, step, attempt: Number(attempt) };
}

/** Where the agent of a Job asks for its runner. */
export function agentUrlOf(job: Job): string | undefined {
  const own = job.spec.template.spec.containers.find(({ name }) => name === containers.agent);
  return own?.env?.find(({ name }) => name === urlVariable)?.value;
}

/** Of everything but the address of the runner, which the next one may not share. */
function fingerprint(spec: JobSpec, { agentUrl }: KubernetesSettings): string {
  return sha256(canonicalJson(spec as unknown as Json).replaceAll(JSON.stringify(agentUrl), '""'));
}

/** Run ids fit as they are; whatever else a caller gives is only compared by its own digest. */
function labelOf(runId: string): string {
  return /^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/.test(runId) ? runId : sha256(runId).slice(0, 40);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
