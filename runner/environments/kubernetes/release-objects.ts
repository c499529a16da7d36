import type { Container, Deployment, Draft, EnvironmentVariable, Service } from '../../cluster/objects.ts';
import type { Backend, BackendService } from '../../model/backend.ts';
import type { Json } from '../../model/json.ts';
import type { EnvironmentName, Release } from '../release.ts';
import { confinedContainer, confinedPod } from './confinement.ts';
import { databaseSecret, labels, managed, releaseName, serviceName } from './names.ts';

/** How long a pod that goes still answers: gateways and nodes need a moment to learn that it is no address any more (kubernetes.io, "Termination of Pods"). */
const leaveSeconds = 5;

/** How long a pod may take to start, before the kubelet begins anew. Gates have deadlines of their own. */
const startSeconds = 600;

interface Part {
  readonly environment: EnvironmentName;
  readonly release: Release;
  readonly service: BackendService;
}

/** One service of one release in one environment: the same in both but for the database that it finds. */
export function releaseDeployment(part: Part, backend: Backend): Draft<Deployment> {
  const { environment, release, service } = part;
  const own = labelsOf(part);
  return {
    metadata: { name: releaseName(environment, service.name, release.name), labels: own },
    spec: {
      replicas: service.replicas,
      revisionHistoryLimit: 0,
      selector: { matchLabels: selectorOf(part) },
      template: {
        metadata: { labels: own },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: leaveSeconds + 30,
          securityContext: confinedPod,
          containers: [container(part, backend)],
        },
      },
    },
  };
}

/** The Service that leads to this release alone. */
export function releaseService(part: Part & { readonly port: number }): Draft<Service> {
  const { environment, service, release, port } = part;
  return {
    metadata: { name: releaseName(environment, service.name, release.name), labels: labelsOf(part) },
    spec: { selector: selectorOf(part), ports: [{ name: 'app', port, targetPort: port }] },
  };
}

/** The Service under the name that other services know: it leads to the release that is live. */
export function liveService(part: Part & { readonly port: number }): Draft<Service> {
  const { environment, service, port } = part;
  return {
    metadata: {
      name: serviceName(environment, service.name),
      labels: { ...managed, [labels.environment]: environment, [labels.service]: service.name },
    },
    spec: { selector: selectorOf(part), ports: [{ name: 'app', port, targetPort: port }] },
  };
}

function labelsOf(part: Part): Readonly<Record<string, string>> {
  return { ...managed, ...selectorOf(part), [labels.role]: 'app' };
}

function selectorOf({ environment, service, release }: Part): Readonly<Record<string, string>> {
  return { [labels.environment]: environment, [labels.service]: service.name, [labels.release]: release.name };
}

function container(part: Part, backend: Backend): Container {
  const { service } = part;
  const { port } = service;
  return {
    name: 'app',
    image: service.image,
    ...(service.start !== undefined && { command: ['sh', '-c', startCommand(service.start)] }),
    env: variables(part, backend),
    ...(port !== undefined && {
      ports: [{ name: 'app', containerPort: port }],
      ...probes(service, port),
      lifecycle: { preStop: { sleep: { seconds: leaveSeconds } } },
    }),
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '512Mi' } },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: confinedContainer,
  };
}

/** One program takes the place of its shell, so that it gets the signal to end. */
function startCommand(start: string): string {
  return /[;&|<>()`$\n]/.test(start) ? start : `exec ${start}`;
}

function variables({ environment, release, service }: Part, { database }: Backend): readonly EnvironmentVariable[] {
  const own: readonly EnvironmentVariable[] = [
    { name: 'SLUICE_RELEASE', value: release.name },
    { name: 'SLUICE_COMMIT', value: release.commit },
    { name: 'SLUICE_ENVIRONMENT', value: environment },
    ...(service.port === undefined ? [] : [{ name: 'PORT', value: String(service.port) }]),
  ];
  const url = { secretKeyRef: { name: databaseSecret(environment, 'app'), key: 'DATABASE_URL' } };
  return [
    ...Object.entries(service.env).map(([name, value]) => ({ name, value })),
    ...(database === undefined ? [] : [{ name: 'DATABASE_URL', valueFrom: url }]),
    ...own,
  ];
}

/** Ready as soon as it answers; killed only when it has not answered for half a minute. */
function probes({ health }: BackendService, port: number): Pick<Container, 'startupProbe' | 'readinessProbe'> & object {
  const check: Readonly<Record<string, Json>> =
    health === undefined ? { tcpSocket: { port } } : { httpGet: { path: health, port } };
  return {
    startupProbe: { ...check, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: startSeconds },
    readinessProbe: { ...check, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 3 },
  };
}
