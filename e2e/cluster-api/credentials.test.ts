import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { ClusterError } from '../../runner/cluster/cluster-error.ts';
import { connectCluster } from '../../runner/cluster/connect.ts';
import type { ConnectOptions } from '../../runner/cluster/connect.ts';
import { readDenial } from '../../runner/cluster/denial.ts';
import { configMaps } from '../../runner/cluster/resources.ts';
import { clusterTest, freshNamespace, kubectl } from '../cluster/test-cluster.ts';
import { writeKubeconfig } from './real-cluster.ts';

/** A folder, and a namespace with the service account `reader`, which may only read. */
async function stage(t: ExecutionContext): Promise<{ readonly folder: string; readonly namespace: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-credentials-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const namespace = await freshNamespace(t, 'clusterapi');
  await kubectl(['create', 'serviceaccount', 'reader', '-n', namespace]);
  const account = `--serviceaccount=${namespace}:reader`;
  await kubectl(['create', 'rolebinding', 'reader', '--clusterrole=view', account, '-n', namespace]);
  return { folder, namespace };
}

const tokenOf = (namespace: string): Promise<string> => kubectl(['create', 'token', 'reader', '-n', namespace]);

/** The account is another one after this, so the tokens of the old one are worthless. */
async function renewAccount(namespace: string): Promise<void> {
  await kubectl(['delete', 'serviceaccount', 'reader', '-n', namespace]);
  await kubectl(['create', 'serviceaccount', 'reader', '-n', namespace]);
}

async function connect(t: ExecutionContext, options: ConnectOptions) {
  const client = await connectCluster(options);
  t.teardown(() => client.close());
  return client;
}

clusterTest('a token file: the account may do what its role says, and a rotated token is taken up', async (t) => {
  const { folder, namespace } = await stage(t);
  await writeFile(join(folder, 'token'), await tokenOf(namespace));
  const kubeconfig = await writeKubeconfig(join(folder, 'config'), ({ users }) => {
    users[0].user = { tokenFile: 'token' };
  });
  const client = await connect(t, { kubeconfig });
  t.is((await client.list(configMaps, { namespace })).items.length, 1);
  const create = client.create(configMaps, { namespace }, { metadata: { name: 'a' } });
  const error = await t.throwsAsync(create, { instanceOf: ClusterError });
  t.like(error, { status: 403, reason: 'Forbidden' });
  t.is(readDenial(error.message)?.by, 'access');
  await renewAccount(namespace);
  await writeFile(join(folder, 'token'), await tokenOf(namespace));
  t.is((await client.list(configMaps, { namespace })).items.length, 1);
});

clusterTest('a credential plugin is asked again when its token is refused', async (t) => {
  const { folder, namespace } = await stage(t);
  const print = `"status":{"token":"'$(kubectl create token reader -n ${namespace})'"}`;
  const script = `#!/bin/sh\necho run >> ${folder}/runs\necho '{"kind":"ExecCredential",${print}}'\n`;
  await writeFile(join(folder, 'plugin'), script, { mode: 0o700 });
  const kubeconfig = await writeKubeconfig(join(folder, 'config'), ({ users }) => {
    const env = [{ name: 'KUBECONFIG', value: process.env['KUBECONFIG'] }];
    users[0].user = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './plugin', env } };
  });
  const client = await connect(t, { kubeconfig });
  t.is((await client.list(configMaps, { namespace })).items.length, 1);
  await renewAccount(namespace);
  t.is((await client.list(configMaps, { namespace })).items.length, 1);
});

clusterTest('in a pod, the files of the service account are enough', async (t) => {
  const { folder, namespace } = await stage(t);
  let server = new URL('https://x');
  let ca = '';
  await writeKubeconfig(join(folder, 'config'), ({ clusters }) => {
    server = new URL(clusters[0].cluster.server);
    ca = String(clusters[0].cluster['certificate-authority-data']);
  });
  const pod = join(folder, 'pod');
  await mkdir(pod);
  await writeFile(join(pod, 'ca.crt'), Buffer.from(ca, 'base64'));
  await writeFile(join(pod, 'token'), (await tokenOf(namespace)).trim());
  await writeFile(join(pod, 'namespace'), namespace);
  const client = await connect(t, { inCluster: { host: server.hostname, port: server.port || '443', folder: pod } });
  t.is(client.namespace, namespace);
  t.is((await client.list(configMaps, { namespace })).items.length, 1);
});

clusterTest('a token that is worth nothing is an error with advice', async (t) => {
  const { folder, namespace } = await stage(t);
  const kubeconfig = await writeKubeconfig(join(folder, 'config'), ({ users }) => {
    users[0].user = { token: 'nothing' };
  });
  const client = await connect(t, { kubeconfig });
  const error = await t.throwsAsync(client.list(configMaps, { namespace }), { instanceOf: ClusterError });
  t.like(error, { status: 401, reason: 'Unauthorized', outcome: 'refused' });
  t.regex(error.hint ?? '', /Log in again/);
  t.notRegex(error.message, /nothing/);
});
