import { text } from 'node:stream/consumers';
import { ClusterError } from '../../runner/cluster/cluster-error.ts';
import type { CoreEvent, Pod } from '../../runner/cluster/objects.ts';
import {
  configMaps,
  events,
  jobs,
  namespaces,
  nodes,
  pods,
  secrets,
  services,
} from '../../runner/cluster/resources.ts';
import { clusterTest, freshNamespace } from '../cluster/test-cluster.ts';
import { connect, scriptPod } from './real-cluster.ts';

const { signal } = new AbortController();

clusterTest('objects are created, read, applied, patched and deleted', async (t) => {
  const client = await connect(t);
  const namespace = await freshNamespace(t, 'clusterapi');
  const at = { namespace, name: 'a' };
  const created = await client.create(configMaps, { namespace }, { metadata: { name: 'a' }, data: { x: '1' } });
  t.like(created, { metadata: { name: 'a', namespace }, data: { x: '1' } });
  t.regex(created.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT[\d:]+Z$/);
  t.deepEqual((await client.get(configMaps, at)).metadata.uid, created.metadata.uid);
  t.deepEqual((await client.patch(configMaps, at, { data: { x: null, y: '2' } })).data, { y: '2' });
  const options = { fieldManager: 'sluice' };
  const applied = await client.apply(configMaps, at, { metadata: { name: 'a' }, data: { z: '3' } }, options);
  t.deepEqual(applied.data, { y: '2', z: '3' });
  const dropped = await client.apply(configMaps, at, { metadata: { name: 'a' }, data: {} }, options);
  t.deepEqual(dropped.data, { y: '2' });
  t.false(await client.delete(configMaps, at, { uid: '00000000-0000-0000-0000-000000000000' }));
  t.true(await client.delete(configMaps, at, { uid: created.metadata.uid }));
  t.false(await client.delete(configMaps, at));
});

clusterTest('refusals have the reason that the server gives', async (t) => {
  const client = await connect(t);
  const namespace = await freshNamespace(t, 'clusterapi');
  const at = { namespace, name: 'a' };
  const body = { metadata: { name: 'a' }, data: { x: '1' } };
  const failure = (call: Promise<unknown>): Promise<ClusterError> => t.throwsAsync(call, { instanceOf: ClusterError });
  t.like(await failure(client.get(configMaps, at)), { code: 'ERR_NOT_FOUND', status: 404, reason: 'NotFound' });
  t.like(await failure(client.get({ ...configMaps, plural: 'nonsense' }, at)), { status: 404, reason: 'NotServed' });
  t.like(await failure(client.create(configMaps, { namespace: 'nowhere-at-all' }, body)), { reason: 'NotFound' });
  await client.apply(configMaps, at, body, { fieldManager: 'one' });
  t.like(await failure(client.create(configMaps, { namespace }, body)), { status: 409, reason: 'AlreadyExists' });
  const other = { ...body, data: { x: '2' } };
  const conflict = await failure(client.apply(configMaps, at, other, { fieldManager: 'two' }));
  t.like(conflict, { status: 409, reason: 'Conflict', causes: [{ reason: 'FieldManagerConflict', field: '.data.x' }] });
  await client.apply(configMaps, at, other, { fieldManager: 'two', force: true });
  const invalid = await failure(client.create(configMaps, { namespace }, { metadata: { name: 'A' } }));
  t.like(invalid, {
    status: 422,
    reason: 'Invalid',
    causes: [{ reason: 'FieldValueInvalid', field: 'metadata.name' }],
  });
  const tooBig = { metadata: { name: 'big' }, data: { x: 'x'.repeat(4_000_000) } };
  t.like(await failure(client.create(configMaps, { namespace }, tooBig)), {
    status: 413,
    reason: 'RequestEntityTooLarge',
  });
});

clusterTest('a list of several pages is one list', async (t) => {
  const client = await connect(t, { pageSize: 2 });
  const namespace = await freshNamespace(t, 'clusterapi');
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of names)
    await client.create(secrets, { namespace }, { metadata: { name, labels: { l: name } }, stringData: { k: 'v' } });
  const before = client.requests;
  const { items } = await client.list(secrets, { namespace });
  t.deepEqual(items.map(({ metadata }) => metadata.name).toSorted(), names);
  t.is(client.requests - before, 3);
  t.is(items[0]?.data?.['k'], Buffer.from('v').toString('base64'));
  const some = await client.list(secrets, {
    namespace,
    labelSelector: 'l in (a,b)',
    fieldSelector: 'metadata.name!=a',
  });
  t.deepEqual(
    some.items.map(({ metadata }) => metadata.name),
    ['b'],
  );
});

clusterTest('kinds without a namespace, services, and documents that are no objects', async (t) => {
  const client = await connect(t);
  const namespace = await freshNamespace(t, 'clusterapi');
  t.true((await client.list(nodes, {})).items.some(({ status }) => status?.nodeInfo?.kubeletVersion));
  t.is((await client.get(namespaces, { name: namespace })).status?.phase, 'Active');
  const service = { metadata: { name: 's' }, spec: { clusterIP: 'None', selector: { a: 'b' } } };
  t.is((await client.create(services, { namespace }, service)).spec.clusterIP, 'None');
  t.is(await client.raw('/readyz'), 'ok');
  t.like(await client.raw('/version'), { major: '1' });
  const keys = await client.raw('/openid/v1/jwks');
  t.true(typeof keys === 'object' && keys !== null && 'keys' in keys);
});

clusterTest('a Job runs: its pod is seen to the exit code, and its log is followed to the end', async (t) => {
  const client = await connect(t);
  const namespace = await freshNamespace(t, 'clusterapi');
  const stop = new AbortController();
  const { spec } = scriptPod('j', 'echo one; sleep 1; echo two; exit 3');
  const watch = client.watch(pods, { namespace, labelSelector: 'job-name=j' }, { signal: stop.signal });
  await client.create(jobs, { namespace }, { metadata: { name: 'j' }, spec: { backoffLimit: 0, template: { spec } } });
  let last: Pod | undefined;
  let log: Promise<string> | undefined;
  for await (const event of watch) {
    if (event.type === 'listed') continue;
    last = event.object;
    const [state] = last.status?.containerStatuses ?? [];
    const { name } = last.metadata;
    if (state?.state?.running)
      log ??= client.log({ namespace, name, container: 'main' }, { signal, follow: true }).then(text);
    if (state?.state?.terminated) break;
  }
  stop.abort();
  t.like(last?.status?.containerStatuses?.[0], {
    name: 'main',
    restartCount: 0,
    state: { terminated: { exitCode: 3 } },
  });
  t.is(await log, 'one\ntwo\n');
  const name = last?.metadata.name ?? '';
  t.is(await text(await client.log({ namespace, name, container: 'main' }, { signal, tailLines: 1 })), 'two\n');
  const of = `involvedObject.uid=${last?.metadata.uid ?? ''}`;
  const seen: readonly CoreEvent[] = (await client.list(events, { namespace, fieldSelector: of })).items;
  t.true(seen.some(({ reason }) => reason === 'Started'));
  t.true(await client.delete(jobs, { namespace, name: 'j' }, { propagation: 'Foreground' }));
});

clusterTest('a pod that has no node yet has an empty log, and a container that there is not has none', async (t) => {
  const client = await connect(t);
  const namespace = await freshNamespace(t, 'clusterapi');
  await client.create(pods, { namespace }, scriptPod('p', 'true', { nodeSelector: { no: 'such-node' } }));
  t.is(await text(await client.log({ namespace, name: 'p', container: 'main' }, { signal })), '');
  const other = client.log({ namespace, name: 'p', container: 'other' }, { signal });
  t.like(await t.throwsAsync(other, { instanceOf: ClusterError }), { status: 400, reason: 'BadRequest' });
});

clusterTest('the status of an object is patched apart from the rest', async (t) => {
  const client = await connect(t);
  const namespace = await freshNamespace(t, 'clusterapi');
  await client.create(pods, { namespace }, scriptPod('p', 'true', { nodeSelector: { no: 'such-node' } }));
  const patch = { metadata: { labels: { x: 'y' } }, status: { message: 'ours' } };
  const { metadata, status } = await client.patchStatus(pods, { namespace, name: 'p' }, patch);
  t.is(status?.message, 'ours');
  t.is(metadata.labels?.['app'], 'p');
});
