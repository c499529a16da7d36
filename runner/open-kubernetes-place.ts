import { connectCluster } from './cluster/connect.ts';
import type { Environment } from './config/environment.ts';
import { KubernetesSite } from './environments/kubernetes/kubernetes-site.ts';
import type { KubernetesSiteDescription } from './environments/kubernetes/step-access.ts';
import type { BackendService } from './model/backend.ts';
import { imageReference } from './model/own-images.ts';
import { needed } from './operation-place.ts';
import type { OperationPlace } from './operation-place.ts';

/** Where the files of a commit are in the image of a service. */
const appFolder = '/app';

type Variables = Environment['variables'];

/** A namespace, seen from a pod. */
export async function openKubernetesPlace(
  description: KubernetesSiteDescription,
  variables: Variables,
  signal: AbortSignal,
): Promise<OperationPlace> {
  const cluster = await connectCluster({ inCluster: inClusterOf(variables), kubeconfig: variables['KUBECONFIG'] });
  return {
    site: new KubernetesSite(cluster, description.backend, description.place),
    build: (service) => build(service, description, variables, signal),
    close: () => cluster.close(),
  };
}

function inClusterOf(variables: Variables) {
  const host = variables['KUBERNETES_SERVICE_HOST'];
  return host === undefined ? undefined : { host, port: variables['KUBERNETES_SERVICE_PORT'] ?? '443' };
}

/** The workspace as one layer on the image of the service. */
async function build(
  service: BackendService,
  { backend, place }: KubernetesSiteDescription,
  variables: Variables,
  signal: AbortSignal,
): Promise<string> {
  const { registry, plainHttp, images } = place;
  const [{ appendImage }, { openCredentials }] = await Promise.all([
    import('./images/append-image.ts'),
    import('./images/registry-credentials.ts'),
  ]);
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
