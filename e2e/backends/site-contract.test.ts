import { randomBytes } from 'node:crypto';
import test from 'ava';
import { connectCluster } from '../../runner/cluster/connect.ts';
import { contractService } from '../../runner/environments/contract-service-fixture.ts';
import { clusterPreviews } from '../../runner/environments/kubernetes/cluster-previews.ts';
import { ensureBackend } from '../../runner/environments/kubernetes/ensure-backend.ts';
import { KubernetesSite } from '../../runner/environments/kubernetes/kubernetes-site.ts';
import { siteContract } from '../../runner/environments/site-contract.ts';
import { appendImage } from '../../runner/images/append-image.ts';
import { openCredentials } from '../../runner/images/registry-credentials.ts';
import { imageOf, kubectl } from '../cluster/test-cluster.ts';
import { domain } from './ask-gateway.ts';
import { inPods } from './test-backend.ts';

const { CI, E2E_GATEWAY, E2E_IMAGES, KUBECONFIG } = process.env;

if (CI !== 'true' && (E2E_IMAGES === undefined || E2E_GATEWAY === undefined)) {
  test.skip('a namespace keeps what sites promise', () => undefined);
} else {
  const name = `site-${randomBytes(4).toString('hex')}`;
  siteContract(async () => {
    const registry = imageOf('node-24').replace(/\/.*$/, '');
    const backend = { name, services: [contractService] };
    const place = {
      domain,
      gateway: { name: 'public', namespace: 'gateway', url: `http://127.0.0.1:${new URL(E2E_GATEWAY ?? '').port}` },
      registry: inPods(registry),
      plainHttp: [inPods(registry)],
      images: { prefix: '', tag: '', pinned: {} },
    };
    const cluster = await connectCluster({ inCluster: undefined, kubeconfig: KUBECONFIG });
    await ensureBackend(cluster, { backend, repository: name }, place);
    return {
      site: new KubernetesSite(cluster, backend, place),
      preview: async (preview) => {
        const described = { ...backend, preview };
        await ensureBackend(cluster, { backend: described, repository: name }, place);
        return new KubernetesSite(cluster, described, place);
      },
      previews: clusterPreviews(cluster, place),
      image: async (folder) => {
        const credentials = await openCredentials({ named: undefined, usual: undefined });
        const order = {
          base: imageOf('node-24'),
          into: `${registry}/${name}/api`,
          layers: [{ folder, destination: '/app' }],
          changes: { command: ['sh', '-c', contractService.start ?? ''], workingFolder: '/app', ports: [3000] },
          revision: 'c'.repeat(40),
        };
        const { image } = await appendImage(order, { credentials, plainHttp: [registry] }, AbortSignal.timeout(60_000));
        return inPods(image);
      },
      close: async () => {
        await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
        await cluster.close();
      },
    };
  });
  test.serial('of a service that the live release does not have no Service is left', async (t) => {
    const selector = 'sluice.dev/environment=production,!sluice.dev/release';
    const query = ['get', 'services,httproutes', '-n', name, '-l', selector, '-o', 'name'];
    t.deepEqual((await kubectl(query)).trim().split('\n'), ['service/api']);
  });
}
