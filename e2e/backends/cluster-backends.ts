import { connectCluster } from '../../runner/cluster/connect.ts';
import type { ClusterClient } from '../../runner/cluster/cluster-client.ts';
import { KubernetesBackends } from '../../runner/environments/kubernetes/kubernetes-backends.ts';
import type { BackendPlace } from '../../runner/environments/kubernetes/place.ts';
import { imageOf } from '../cluster/test-cluster.ts';
import { domain } from './ask-gateway.ts';
import { inPods } from './test-backend.ts';

/** Where tests deploy to, for a process of this machine: the gateway is one, too. */
export function testPlace(): BackendPlace {
  const { E2E_GATEWAY = '' } = process.env;
  const registry = inPods(imageOf('sluice').replace(/\/.*$/, ''));
  return {
    domain,
    gateway: { name: 'public', namespace: 'gateway', url: `http://127.0.0.1:${new URL(E2E_GATEWAY).port}` },
    registry,
    plainHttp: [registry],
    images: { prefix: '', tag: '', pinned: { postgres: inPods(imageOf('postgres')) } },
  };
}

/** The backends of the cluster of the tests. */
export async function clusterBackends(): Promise<{
  readonly backends: KubernetesBackends;
  readonly cluster: ClusterClient;
}> {
  const cluster = await connectCluster({ inCluster: undefined, kubeconfig: process.env['KUBECONFIG'] });
  return { backends: new KubernetesBackends(cluster, testPlace()), cluster };
}
