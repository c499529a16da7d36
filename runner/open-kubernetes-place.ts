import { buildContainerfile } from './build-containerfile.ts';
import { connectCluster } from './cluster/connect.ts';
import type { Environment } from './config/environment.ts';
import { KubernetesSite } from './environments/kubernetes/kubernetes-site.ts';
import { backupsFolder } from './environments/kubernetes/names.ts';
import type { KubernetesSiteDescription } from './environments/kubernetes/step-access.ts';
import type { BackendService } from './model/backend.ts';
import { systemClock } from './model/clock.ts';
import { imageReference } from './model/own-images.ts';
import { builder, needed } from './operation-place.ts';
import type { OperationPlace, OperationSurroundings } from './operation-place.ts';

/** Where the files of a commit are in the image of a service. */
const appFolder = '/app';

type Variables = Environment['variables'];

/** A namespace, seen from a pod. */
export async function openKubernetesPlace(
  description: KubernetesSiteDescription,
  surroundings: OperationSurroundings,
): Promise<OperationPlace> {
  const { variables } = surroundings;
  const cluster = await connectCluster({ inCluster: inClusterOf(variables), kubeconfig: variables['KUBECONFIG'] });
  return {
    site: new KubernetesSite(cluster, description.backend, description.place),
    build: (service) =>
      service.containerfile === undefined
        ? append(service, description, surroundings)
        : buildContainerfile(cluster, { ...service, containerfile: service.containerfile }, description, surroundings),
    programs: variables['PATH'] ?? '',
    backups: backupsFolder,
    close: () => cluster.close(),
  };
}

function inClusterOf(variables: Variables) {
  const host = variables['KUBERNETES_SERVICE_HOST'];
  return host === undefined ? undefined : { host, port: variables['KUBERNETES_SERVICE_PORT'] ?? '443' };
}

/** The workspace as one layer on the image of the service. */
async function append(
  service: BackendService,
  { backend, place }: KubernetesSiteDescription,
  { variables, version, signal }: OperationSurroundings,
): Promise<string> {
  const { registry, plainHttp, images } = place;
  const [{ appendImage }, { pushProvenance }, { openCredentials }] = await Promise.all([
    import('./images/append-image.ts'),
    import('./images/provenance.ts'),
    import('./images/registry-credentials.ts'),
  ]);
  const credentials = await openCredentials({ named: variables['REGISTRY_AUTH_FILE'], usual: undefined });
  const access = { credentials, plainHttp };
  const commit = needed(variables, 'SLUICE_COMMIT');
  const request = {
    base: imageReference(images, service.image),
    // It is run by its digest; some registries throw away what has no tag.
    into: `${registry}/${backend.name}/${service.name}:${commit}`,
    layers: [{ folder: process.cwd(), destination: appFolder }],
    changes: {
      ...(service.start !== undefined && { command: ['sh', '-c', service.start] }),
      workingFolder: appFolder,
      ports: service.port === undefined ? [] : [service.port],
    },
    revision: commit,
  };
  const startedAt = systemClock();
  const appended = await appendImage(request, access, signal);
  const facts = { builder, version, invocation: needed(variables, 'SLUICE_RUN'), startedAt, finishedAt: systemClock() };
  await pushProvenance(request, appended, facts, access, signal);
  return appended.image;
}
