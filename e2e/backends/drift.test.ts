import type { ClusterClient } from '../../runner/cluster/cluster-client.ts';
import { configMaps } from '../../runner/cluster/resources.ts';
import { findDrift } from '../../runner/environments/kubernetes/find-drift.ts';
import { fieldManager } from '../../runner/environments/kubernetes/names.ts';
import { connect } from '../cluster-api/real-cluster.ts';
import { clusterTest, freshNamespace } from '../cluster/test-cluster.ts';

clusterTest('what somebody else writes between two looks is no drift', async (t) => {
  const client = await connect(t);
  const namespace = await freshNamespace(t, 'drift');
  const at = { namespace, name: 'a' };
  const body = { metadata: { name: 'a' }, data: { x: '1' } };
  await client.apply(configMaps, at, body, { fieldManager });
  let writes = 0;
  const get: ClusterClient['get'] = async (...wanted) => {
    const found = await client.get(...wanted);
    if (writes < 2) await client.patch(configMaps, at, { metadata: { annotations: { bound: String((writes += 1)) } } });
    return found;
  };
  const busy = new Proxy(client, {
    get: (target, name) => (name === 'get' ? get : (Reflect.get(target, name) as () => unknown).bind(target)),
  });
  t.deepEqual(await findDrift(busy, namespace, [{ resource: configMaps, body }]), []);
  t.is(writes, 2);
  await client.patch(configMaps, at, { data: { x: '2' } });
  const drift = { object: 'ConfigMap/a', kind: 'changed', field: '.data.x', is: '2', shouldBe: '1' } as const;
  t.like(await findDrift(client, namespace, [{ resource: configMaps, body }]), [drift]);
});
