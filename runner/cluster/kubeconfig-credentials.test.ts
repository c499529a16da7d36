import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SluiceError } from '../model/errors.ts';
import { ClusterError } from './cluster-error.ts';
import { connectCluster } from './connect.ts';
import { KubeconfigCredentials } from './kubeconfig-credentials.ts';
import { readKubeconfig } from './read-kubeconfig.ts';
import { configMaps } from './resources.ts';
import {
  ScriptedServer,
  json,
  named,
  otherCertificate,
  otherKey,
  serverCertificate,
  serverKey,
  status,
} from './scripted-server-fixture.ts';
import type { Received, Reply } from './scripted-server-fixture.ts';

const found = json(named('a', '7'));
const at = { namespace: 'n', name: 'a' };

async function connectAs(t: ExecutionContext, server: ScriptedServer, user: Readonly<Record<string, unknown>>) {
  const client = await connectCluster({ kubeconfig: await server.kubeconfig(user) });
  t.teardown(() => client.close());
  return client;
}

/** Answers 401 to every token but this one. */
const only =
  (token: string): Reply =>
  (response, received) =>
    (received.headers.authorization === `Bearer ${token}` ? found : unauthorized)(response, received);
const unauthorized = status(401, 'Unauthorized');
const tokens = ({ received }: ScriptedServer): readonly (string | undefined)[] =>
  received.map(({ headers }: Received) => headers.authorization);

/** A credential plugin that counts how often it runs. Its credential is what `body`, a shell script, prints. */
async function plugin(server: ScriptedServer, body: string, more: object = {}) {
  const script = join(server.folder, 'plugin.sh');
  const runs = join(server.folder, 'runs');
  await writeFile(script, `#!/bin/sh\necho run >> ${runs}\n${body}\n`, { mode: 0o700 });
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './plugin.sh',
    interactiveMode: 'Never',
    ...more,
  };
  const count = async (): Promise<number> => (await readFile(runs, 'utf8')).trim().split('\n').length;
  return { user: { exec }, count };
}

const credential = (status: string): string => `printf '%s' '{"kind":"ExecCredential","status":${status}}'`;

for (const [title, user, expected] of [
  ['a token', { token: 't' }, 'Bearer t'],
  ['a name and a password', { username: 'u', password: 'p' }, `Basic ${Buffer.from('u:p').toString('base64')}`],
  ['nothing', {}, undefined],
] as const) {
  test(`a user with ${title}`, async (t) => {
    const server = await ScriptedServer.start(t);
    const client = await connectAs(t, server, user);
    server.script(found);
    await client.get(configMaps, at);
    t.deepEqual(tokens(server), [expected]);
  });
}

test('a user that acts as somebody else says so', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await connectAs(t, server, { token: 't', as: 'deployer' });
  server.script(found);
  await client.get(configMaps, at);
  t.is(server.received[0]?.headers['impersonate-user'], 'deployer');
});

test('a token file that was rotated is read again when the server refuses the old token', async (t) => {
  const server = await ScriptedServer.start(t);
  await writeFile(join(server.folder, 'token'), 'old\n');
  const client = await connectAs(t, server, { tokenFile: 'token' });
  server.script(only('old'), only('new'), only('new'));
  await client.get(configMaps, at);
  await writeFile(join(server.folder, 'token'), 'new\n');
  await client.create(configMaps, at, { metadata: { name: 'a' } });
  t.deepEqual(tokens(server), ['Bearer old', 'Bearer old', 'Bearer new']);
});

test('a token that is refused twice is an error that says what to do', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await connectAs(t, server, { token: 't' });
  server.script(unauthorized, unauthorized, unauthorized);
  const error = await t.throwsAsync(client.get(configMaps, at), { instanceOf: ClusterError });
  t.like(error, { status: 401, reason: 'Unauthorized', outcome: 'refused' });
  t.regex(error.hint ?? '', /credentials/);
  t.is(server.received.length, 2);
});

test('a plugin runs once for many requests, and is told what it is asked for', async (t) => {
  const server = await ScriptedServer.start(t);
  const body = `echo "$KUBERNETES_EXEC_INFO $X" > ${join(server.folder, 'info')}\n${credential('{"token":"t"}')}`;
  const { count, user } = await plugin(server, body, {
    provideClusterInfo: true,
    env: [{ name: 'X', value: 'given' }],
  });
  const client = await connectAs(t, server, user);
  server.script(...Array.from({ length: 8 }, () => only('t')));
  await Promise.all(Array.from({ length: 8 }, () => client.get(configMaps, at)));
  t.is(await count(), 1);
  const [, info = '', given] = /^(.*) (\S+)\n$/.exec(await readFile(join(server.folder, 'info'), 'utf8')) ?? [];
  t.is(given, 'given');
  t.like(JSON.parse(info), {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      cluster: {
        server: `https://127.0.0.1:${server.port}`,
        'certificate-authority-data': serverCertificate.toString('base64'),
      },
    },
  });
});

test('a plugin runs again once, however many requests were refused with what it gave', async (t) => {
  const server = await ScriptedServer.start(t);
  const { count, user } = await plugin(
    server,
    `echo '{"status":{"token":"'t$(wc -l < ${join(server.folder, 'runs')} | tr -d ' ')'"}}'`,
  );
  const client = await connectAs(t, server, user);
  server.script(only('t1'), ...Array.from({ length: 8 }, () => only('t2')));
  await client.get(configMaps, at);
  const waiting = Array.from({ length: 4 }, () => client.get(configMaps, at));
  await Promise.all(waiting);
  t.is(await count(), 2);
});

test('a refusal that comes late, of what has been renewed since, renews nothing', async (t) => {
  const server = await ScriptedServer.start(t);
  const { count, user } = await plugin(server, credential('{"token":"t"}'));
  const credentials = new KubeconfigCredentials(await readKubeconfig([await server.kubeconfig(user)], undefined));
  const old = await credentials.ask();
  credentials.reject(old);
  await credentials.ask();
  credentials.reject(old);
  await credentials.ask();
  t.is(await count(), 2);
});

test('an expired credential of a plugin is not used', async (t) => {
  const server = await ScriptedServer.start(t);
  const { count, user } = await plugin(
    server,
    credential('{"token":"t","expirationTimestamp":"2020-01-01T00:00:00Z"}'),
  );
  const credentials = new KubeconfigCredentials(await readKubeconfig([await server.kubeconfig(user)], undefined), {
    keptMs: 0,
  });
  await credentials.ask();
  await credentials.ask();
  t.is(await count(), 2);
});

for (const [title, body, message] of [
  ['fails', 'echo "log in first" >&2; exit 1', /^no credentials for user u of cluster c: log in first$/],
  ['prints no JSON', 'echo secret', /^no credentials for user u of cluster c: its plugin printed no ExecCredential$/],
  [
    'prints something else',
    'echo {}',
    /^no credentials for user u of cluster c: its plugin printed no ExecCredential$/,
  ],
  ['hangs', 'exec sleep 600', /^no credentials for user u of cluster c: its plugin failed, or was stopped/],
] as const) {
  test(`a plugin that ${title} is an error, and is asked again the next time`, async (t) => {
    const server = await ScriptedServer.start(t);
    const { count, user } = await plugin(server, body, { installHint: 'Install it.' });
    const target = await readKubeconfig([await server.kubeconfig(user)], undefined);
    const credentials = new KubeconfigCredentials(target, { pluginDeadlineMs: 1_000 });
    for (let time = 1; time <= 2; time++) {
      const error = await t.throwsAsync(credentials.ask(), { instanceOf: ClusterError, message });
      t.like(error, { reason: 'NoCredentials', outcome: 'unsent', hint: 'Install it.' });
      t.is(await count(), time);
    }
  });
}

test('a plugin that is not installed is an error with its own advice', async (t) => {
  const server = await ScriptedServer.start(t);
  const { user } = await plugin(server, '', { command: 'no-such-plugin-at-all', installHint: 'Install it.' });
  const client = await connectAs(t, server, user);
  const error = await t.throwsAsync(client.get(configMaps, at), {
    instanceOf: ClusterError,
    message: /no-such-plugin-at-all/,
  });
  t.like(error, { reason: 'NoCredentials', hint: 'Install it.' });
});

test('a client certificate from files is sent, and a renewed one is used for the requests after it', async (t) => {
  const server = await ScriptedServer.start(t);
  const [cert, key] = [join(server.folder, 'own.crt'), join(server.folder, 'own.key')];
  await Promise.all([writeFile(cert, serverCertificate), writeFile(key, serverKey)]);
  const client = await connectAs(t, server, { 'client-certificate': 'own.crt', 'client-key': 'own.key' });
  server.script(found, unauthorized, found);
  await client.get(configMaps, at);
  await Promise.all([writeFile(cert, otherCertificate), writeFile(key, otherKey)]);
  await client.get(configMaps, at);
  t.deepEqual(
    server.received.map(({ subject }) => subject),
    ['server of a test', 'server of a test', 'other of a test'],
  );
});

test('a plugin may give a client certificate', async (t) => {
  const server = await ScriptedServer.start(t);
  const given = { clientCertificateData: otherCertificate.toString(), clientKeyData: otherKey.toString() };
  const { user } = await plugin(server, credential(JSON.stringify(given)));
  const client = await connectAs(t, server, user);
  server.script(found);
  await client.get(configMaps, at);
  t.is(server.received[0]?.subject, 'other of a test');
});

test('a provider that Kubernetes took out is refused with a way out', async (t) => {
  const server = await ScriptedServer.start(t);
  const user = { 'auth-provider': { name: 'gcp', config: {} } };
  const error = await t.throwsAsync(connectAs(t, server, user), { instanceOf: SluiceError });
  t.is(error.code, 'ERR_UNSUPPORTED');
  t.regex(error.hint ?? '', /gke-gcloud-auth-plugin/);
});

test('an OpenID Connect token that is valid is used', async (t) => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = `${part({ alg: 'none' })}.${part({ exp: 4_000_000_000 })}.x`;
  const server = await ScriptedServer.start(t);
  const client = await connectAs(t, server, { 'auth-provider': { name: 'oidc', config: { 'id-token': token } } });
  server.script(only(token));
  await client.get(configMaps, at);
  t.deepEqual(tokens(server), [`Bearer ${token}`]);
});

test('a server without TLS gets no credentials', async (t) => {
  const server = await ScriptedServer.start(t);
  const target = await readKubeconfig(
    [await server.kubeconfig({ token: 't' }, { server: 'http://127.0.0.1:1' })],
    undefined,
  );
  t.deepEqual(await new KubeconfigCredentials(target).ask(), { tls: {}, headers: {} });
});
