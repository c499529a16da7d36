import { once } from 'node:events';
import { createServer } from 'node:https';
import { json as readJson } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { ClusterError } from '../../runner/cluster/cluster-error.ts';
import type { ClusterClient } from '../../runner/cluster/cluster-client.ts';
import { readDenial } from '../../runner/cluster/denial.ts';
import type { KubernetesObject } from '../../runner/cluster/objects.ts';
import { configMaps, events, namespaces, pods, resourceQuotas } from '../../runner/cluster/resources.ts';
import type { Resource } from '../../runner/cluster/resources.ts';
import { serverCertificate, serverKey } from '../../runner/cluster/scripted-server-fixture.ts';
import { clusterTest, freshNamespace, kubectl } from '../cluster/test-cluster.ts';
import { connect, scriptPod } from './real-cluster.ts';

interface WithSpec extends KubernetesObject {
  readonly spec?: object;
  readonly webhooks?: readonly object[];
}

const limitRanges: Resource<WithSpec> = {
  apiVersion: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  namespaced: true,
};
const admission = (kind: string, plural: string): Resource<WithSpec> => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  plural,
  namespaced: false,
});
const webhooks = admission('ValidatingWebhookConfiguration', 'validatingwebhookconfigurations');
const policies = admission('ValidatingAdmissionPolicy', 'validatingadmissionpolicies');
const bindings = admission('ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings');

async function denied(t: ExecutionContext, create: () => Promise<unknown>): Promise<ClusterError> {
  // Admission learns of a new rule a little later than the API.
  for (let times = 0; times < 100; times++) {
    try {
      await create();
    } catch (error) {
      return error instanceof ClusterError ? error : t.fail(String(error));
    }
    await sleep(100);
  }
  return t.fail('it was not refused');
}

const createPod = (client: ClusterClient, namespace: string) => {
  let count = 0;
  return () => client.create(pods, { namespace }, scriptPod(`p${count++}`, 'true'));
};
const createConfigMap = (client: ClusterClient, namespace: string) => {
  let count = 0;
  return () => client.create(configMaps, { namespace }, { metadata: { name: `c${count++}` } });
};

clusterTest('a full quota, and a quota that asks for requests', async (t) => {
  const client = await connect(t);
  const namespace = await freshNamespace(t, 'clusterapi');
  await client.create(resourceQuotas, { namespace }, { metadata: { name: 'full' }, spec: { hard: { pods: '0' } } });
  const full = await denied(t, createPod(client, namespace));
  t.like(full, { status: 403, reason: 'Forbidden', outcome: 'refused' });
  t.deepEqual(readDenial(full.message), { by: 'quota', name: 'full' });
  const patch = { spec: { hard: { pods: '10', 'requests.cpu': '1' } } };
  await client.patch(resourceQuotas, { namespace, name: 'full' }, patch);
  await sleep(1_000);
  t.deepEqual(readDenial((await denied(t, createPod(client, namespace))).message), { by: 'quota', name: 'full' });
});

clusterTest('a limit range', async (t) => {
  const client = await connect(t);
  const namespace = await freshNamespace(t, 'clusterapi');
  const body = { metadata: { name: 'l' }, spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } };
  await client.create(limitRanges, { namespace }, body);
  const { spec, metadata } = scriptPod('p', 'true');
  const containers = spec.containers.map((container) => ({ ...container, resources: { limits: { cpu: '2' } } }));
  let count = 0;
  const create = () =>
    client.create(
      pods,
      { namespace },
      { metadata: { ...metadata, name: `p${count++}` }, spec: { ...spec, containers } },
    );
  t.is(readDenial((await denied(t, create)).message)?.by, 'limit_range');
});

clusterTest('Pod Security', async (t) => {
  const client = await connect(t);
  const namespace = await freshNamespace(t, 'clusterapi');
  const { spec, metadata } = scriptPod('p', 'true');
  const loose = { metadata, spec: { ...spec, securityContext: {} } };
  const { message } = await denied(t, () => client.create(pods, { namespace }, loose));
  t.deepEqual(readDenial(message), { by: 'pod_security', name: 'restricted:latest' });
});

async function addWebhook(t: ExecutionContext, client: ClusterClient, namespace: string, url: string): Promise<string> {
  const name = `deny.${namespace}.example`;
  const webhook = {
    name,
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
    clientConfig: { url, caBundle: serverCertificate.toString('base64') },
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    timeoutSeconds: 5,
  };
  t.teardown(() => client.delete(webhooks, { name: namespace }));
  await client.create(webhooks, {}, { metadata: { name: namespace }, webhooks: [webhook] });
  return name;
}

clusterTest('an admission webhook that says no, and one that does not answer', async (t) => {
  const client = await connect(t);
  const [first, second] = [await freshNamespace(t, 'clusterapi'), await freshNamespace(t, 'clusterapi')];
  const server = createServer({ key: serverKey, cert: serverCertificate }, (request, answer) => {
    void readJson(request).then((review) => {
      const { uid } = (review as { request: { uid: string } }).request;
      const response = { uid, allowed: false, status: { message: 'not today' } };
      answer.setHeader('content-type', 'application/json');
      answer.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const name = await addWebhook(t, client, first, `https://127.0.0.1:${port}/`);
  const says = await denied(t, createConfigMap(client, first));
  t.deepEqual(readDenial(says.message), { by: 'webhook', name });
  t.regex(says.message, /not today/);
  const silent = await addWebhook(t, client, second, 'https://127.0.0.1:1/');
  const down = await denied(t, createConfigMap(client, second));
  t.is(down.status, 500);
  t.deepEqual(readDenial(down.message), { by: 'webhook_down', name: silent });
});

clusterTest('an admission policy', async (t) => {
  const client = await connect(t);
  const namespace = await freshNamespace(t, 'clusterapi');
  const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }];
  const policy = { matchConstraints: { resourceRules }, validations: [{ expression: 'false', message: 'never' }] };
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  const binding = { policyName: namespace, validationActions: ['Deny'], matchResources: { namespaceSelector } };
  t.teardown(async () => {
    await client.delete(bindings, { name: namespace });
    await client.delete(policies, { name: namespace });
  });
  await client.create(policies, {}, { metadata: { name: namespace }, spec: policy });
  await client.create(bindings, {}, { metadata: { name: namespace }, spec: binding });
  const { message } = await denied(t, createConfigMap(client, namespace));
  t.deepEqual(readDenial(message), { by: 'admission_policy', name: namespace });
});

clusterTest('a namespace that is being terminated', async (t) => {
  const client = await connect(t);
  const namespace = await freshNamespace(t, 'clusterapi');
  // A finalizer keeps the namespace, and its content, where they are.
  await client.create(configMaps, { namespace }, { metadata: { name: 'stays', finalizers: ['sluice.test/stays'] } });
  t.teardown(() => client.patch(configMaps, { namespace, name: 'stays' }, { metadata: { finalizers: null } }));
  await client.delete(namespaces, { name: namespace });
  const { causes, message } = await denied(t, createConfigMap(client, namespace));
  t.is(causes[0]?.reason, 'NamespaceTerminating');
  t.deepEqual(readDenial(message), { by: 'namespace_terminating', name: undefined });
});

clusterTest('what the events of a Job say is read the same way', async (t) => {
  const client = await connect(t);
  const namespace = await freshNamespace(t, 'clusterapi');
  await kubectl(['create', 'job', 'j', '--image=none', '-n', namespace]);
  for (let times = 0; times < 100; times++) {
    const { items } = await client.list(events, { namespace, fieldSelector: 'reason=FailedCreate' });
    const [event] = items;
    if (event) {
      t.deepEqual(readDenial(event.message ?? ''), { by: 'pod_security', name: 'restricted:latest' });
      return;
    }
    await sleep(200);
  }
  t.fail('no event came');
});
