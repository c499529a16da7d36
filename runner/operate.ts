import { randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { connectCluster } from './cluster/connect.ts';
import type { ClusterClient } from './cluster/cluster-client.ts';
import type { Environment } from './config/environment.ts';
import type { DatabaseUrls } from './environments/database-roles.ts';
import { KubernetesSite } from './environments/kubernetes/kubernetes-site.ts';
import type { BackendPlace } from './environments/kubernetes/place.ts';
import { databaseVariables, siteVariable } from './environments/kubernetes/step-access.ts';
import type { KubernetesSiteDescription } from './environments/kubernetes/step-access.ts';
import { operationsByName } from './gates/operations.ts';
import { appendImage } from './images/append-image.ts';
import { openCredentials } from './images/registry-credentials.ts';
import type { Backend, BackendService } from './model/backend.ts';
import { systemClock } from './model/clock.ts';
import { messageOf, SluiceError } from './model/errors.ts';
import { becauseValue, inputVariable } from './model/operations.ts';
import type { OperationName } from './model/operations.ts';
import { imageReference } from './model/own-images.ts';

/** Where the files of a commit are in the image of a service. */
const appFolder = '/app';

type Variables = Environment['variables'];

/**
 * Carries out one operation of a gate in the place that its step was given, and hands its values on to later steps. Ends in good order on SIGTERM: what has
 * been begun is on record, or taken back.
 */
export async function operate(
  name: OperationName,
  { variables }: Environment,
  say: (line: string) => void,
): Promise<void> {
  const { backend, place } = readSite(variables);
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(new SluiceError('ERR_ABORTED', 'the step was stopped'));
  process.once('SIGTERM', stop);
  const cluster = await connectCluster({ inCluster: inClusterOf(variables), kubeconfig: variables['KUBECONFIG'] });
  try {
    const outputs = await operationsByName[name]({
      site: new KubernetesSite(cluster, backend, place),
      run: needed(variables, 'SLUICE_RUN'),
      commit: needed(variables, 'SLUICE_COMMIT'),
      branch: variables['SLUICE_BRANCH'] ?? '',
      actor: variables['SLUICE_ACTOR'] ?? '',
      input: (input) => variables[inputVariable(input)] ?? '',
      build: (service) => build(service, { backend, place, variables, signal: stopping.signal }),
      database: databaseOf(variables),
      say,
      clock: systemClock,
      signal: stopping.signal,
    });
    await handOn(outputs, variables['SLUICE_OUTPUT']);
  } catch (error) {
    await handOn({ [becauseValue]: messageOf(error) }, variables['SLUICE_OUTPUT']);
    throw error;
  } finally {
    process.removeListener('SIGTERM', stop);
    await closed(cluster);
  }
}

async function closed(cluster: ClusterClient): Promise<void> {
  await cluster.close();
}

function readSite(variables: Variables): KubernetesSiteDescription {
  const text = variables[siteVariable];
  if (text !== undefined) return JSON.parse(text) as KubernetesSiteDescription;
  throw new SluiceError('ERR_USAGE', 'operations are the commands of steps, and this is none', {
    hint: 'Use a gate in a pipeline: `deploy-test: { uses: deploy-test }`.',
  });
}

function inClusterOf(variables: Variables) {
  const host = variables['KUBERNETES_SERVICE_HOST'];
  return host === undefined ? undefined : { host, port: variables['KUBERNETES_SERVICE_PORT'] ?? '443' };
}

function databaseOf(variables: Variables): DatabaseUrls | undefined {
  const [admin, migrator, app] = (['admin', 'migrator', 'app'] as const).map(
    (role) => variables[databaseVariables[role]],
  );
  return admin === undefined || migrator === undefined || app === undefined ? undefined : { admin, migrator, app };
}

interface BuildPlace {
  readonly backend: Backend;
  readonly place: BackendPlace;
  readonly variables: Variables;
  readonly signal: AbortSignal;
}

/** The workspace as one layer on the image of the service. */
async function build(service: BackendService, { backend, place, variables, signal }: BuildPlace): Promise<string> {
  const { registry, plainHttp, images } = place;
  const credentials = await openCredentials({ named: variables['REGISTRY_AUTH_FILE'], usual: undefined });
  const { image } = await appendImage(
    {
      base: imageReference(images, service.image),
      into: `${registry}/${backend.name}/${service.name}`,
      layers: [{ folder: process.cwd(), destination: appFolder }],
      changes: {
        command: ['sh', '-c', service.start],
        workingFolder: appFolder,
        ports: service.port === undefined ? [] : [service.port],
      },
      revision: needed(variables, 'SLUICE_COMMIT'),
    },
    { credentials, plainHttp },
    signal,
  );
  return image;
}

function needed(variables: Variables, name: string): string {
  const value = variables[name];
  if (value === undefined) throw new SluiceError('ERR_USAGE', `${name} is not set`);
  return value;
}

/** As a step hands on values: lines of a file. */
async function handOn(outputs: Readonly<Record<string, string>>, file: string | undefined): Promise<void> {
  const end = `end-${randomUUID()}`;
  const lines = Object.entries(outputs).map(([name, value]) =>
    value.includes('\n') ? `${name}<<${end}\n${value}\n${end}\n` : `${name}=${value}\n`,
  );
  if (file !== undefined) await appendFile(file, lines.join(''));
}
