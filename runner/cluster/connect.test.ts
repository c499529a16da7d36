import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SluiceError } from '../model/errors.ts';
import { connectCluster } from './connect.ts';
import type { ConnectOptions } from './connect.ts';
import { readKubeconfig } from './read-kubeconfig.ts';
import { configMaps } from './resources.ts';
import { ScriptedServer, json, named, serverCertificate } from './scripted-server-fixture.ts';

const at = { namespace: 'n', name: 'a' };
const found = json(named('a', '7'));

const usable = `
current-context: one
clusters: [{ name: c, cluster: { server: "https://c.test/", certificate-authority: ca.crt } }]
users: [{ name: u, user: { client-certificate: own.crt, client-key: /abs/own.key } }]
contexts:
  - { name: one, context: { cluster: c, user: u } }
  - { name: two, context: { cluster: c, user: u, namespace: builds } }
  - { name: lost, context: { cluster: gone, user: u } }
  - { name: nobody, context: { cluster: c, user: gone } }
`;

test('the current context of a kubeconfig is used, or the one that is asked for; paths count from the file', async (t) => {
  const { folder } = await ScriptedServer.start(t);
  const file = join(folder, 'config');
  await writeFile(file, usable);
  const one = await readKubeconfig([file], undefined);
  t.is(one.namespace, 'default');
  t.like(one.cluster, { server: 'https://c.test', caFile: join(folder, 'ca.crt') });
  t.like(one.user, { certFile: join(folder, 'own.crt'), keyFile: '/abs/own.key' });
  t.is((await readKubeconfig([file], 'two')).namespace, 'builds');
});

test('of several files the first that has a name wins, and the first current context', async (t) => {
  const { folder } = await ScriptedServer.start(t);
  const [first, second] = [join(folder, 'first'), join(folder, 'second')];
  await writeFile(first, 'contexts: [{ name: one, context: { cluster: c, user: u, namespace: mine } }]');
  await writeFile(second, usable);
  t.is((await readKubeconfig([first, second], undefined)).namespace, 'mine');
  t.is((await readKubeconfig([second, first], undefined)).namespace, 'default');
});

for (const [title, text, context, message] of [
  ['is not there', undefined, undefined, /^cannot read the kubeconfig .*: ENOENT/],
  ['is empty', '', undefined, /^cannot read the kubeconfig .*: it is empty$/],
  ['is no YAML', '{', undefined, /^cannot read the kubeconfig /],
  ['misses a server', 'clusters: [{ name: c, cluster: {} }]', undefined, /clusters\[0\]\.cluster\.server is missing/],
  ['has no current context', 'contexts: []', undefined, /^no current-context in /],
  ['misses the context', usable, 'three', /^no context "three" in /],
  ['misses the cluster of the context', usable, 'lost', /^no cluster "gone", which context lost names, in /],
  ['misses the user of the context', usable, 'nobody', /^no user "gone", which context nobody names, in /],
] as const) {
  test(`a kubeconfig that ${title} is an error that names it`, async (t) => {
    const { folder } = await ScriptedServer.start(t);
    const file = join(folder, 'config');
    if (text !== undefined) await writeFile(file, text);
    const error = await t.throwsAsync(connectCluster({ kubeconfig: file, context }), {
      instanceOf: SluiceError,
      message,
    });
    t.is(error.code, 'ERR_USAGE');
    t.true(error.message.includes(file));
  });
}

test('a cluster is found in the order of kubectl: what is given, the file in the home folder, the pod', async (t) => {
  const server = await ScriptedServer.start(t);
  const home = server.folder;
  const [given, other] = await Promise.all(['given', 'other'].map((token) => server.kubeconfig({ token })));
  const pod = join(home, 'pod');
  await mkdir(pod);
  await writeFile(join(pod, 'token'), 'pod');
  await writeFile(join(pod, 'ca.crt'), serverCertificate);
  await writeFile(join(pod, 'namespace'), 'builds\n');
  const inCluster = { host: '127.0.0.1', port: String(server.port), folder: pod };
  const tokenOf = async (options: ConnectOptions): Promise<string> => {
    const client = await connectCluster(options);
    server.script(found);
    await client.get(configMaps, at);
    await client.close();
    return `${server.received.at(-1)?.headers.authorization ?? ''} ${client.namespace}`;
  };
  t.is(await tokenOf({ home, inCluster }), 'Bearer pod builds');
  await mkdir(join(home, '.kube'));
  await writeFile(join(home, '.kube', 'config'), await readFile(other ?? ''));
  t.is(await tokenOf({ home, inCluster }), 'Bearer other default');
  t.is(await tokenOf({ kubeconfig: given, home, inCluster }), 'Bearer given default');
  t.is(await tokenOf({ kubeconfig: [join(home, 'missing'), given].join(delimiter), home }), 'Bearer given default');
});

test('without any cluster the error says how to give one', async (t) => {
  const { folder } = await ScriptedServer.start(t);
  const error = await t.throwsAsync(connectCluster({ home: folder }), { instanceOf: SluiceError });
  t.is(error.code, 'ERR_USAGE');
  t.regex(error.hint ?? '', /KUBECONFIG/);
});

test('a server is known by the name that the kubeconfig gives it', async (t) => {
  const server = await ScriptedServer.start(t);
  for (const [name, good] of [
    ['kubernetes.test', true],
    ['another.test', false],
  ] as const) {
    const client = await connectCluster({ kubeconfig: await server.kubeconfig({}, { 'tls-server-name': name }) });
    server.script(found);
    const call = client.get(configMaps, at);
    if (good) await call;
    else await t.throwsAsync(call, { message: /another\.test/ });
    await client.close();
  }
  t.is(server.received.length, 1);
});

test('a proxy of a kind that is not supported is refused', async (t) => {
  const server = await ScriptedServer.start(t);
  const kubeconfig = await server.kubeconfig({}, { 'proxy-url': 'socks5://127.0.0.1:1' });
  await t.throwsAsync(connectCluster({ kubeconfig }), { code: 'ERR_UNSUPPORTED' });
});

test('an HTTP proxy is asked for a tunnel, and the request goes through it under TLS', async (t) => {
  const server = await ScriptedServer.start(t);
  const proxy = await startProxy(t);
  const client = await connectCluster({ kubeconfig: await server.kubeconfig({}, { 'proxy-url': proxy.url }) });
  t.teardown(() => client.close());
  server.script(found);
  t.like(await client.get(configMaps, at), { metadata: { name: 'a' } });
  t.deepEqual(proxy.tunnels, [`127.0.0.1:${server.port}`]);
});

async function startProxy(t: ExecutionContext): Promise<{ readonly url: string; readonly tunnels: readonly string[] }> {
  const tunnels: string[] = [];
  const proxy = createServer().on('connect', ({ url = '' }, socket) => {
    tunnels.push(url);
    const { hostname, port } = new URL(`tcp://${url}`);
    const onward = connect(Number(port), hostname, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    onward.pipe(socket).pipe(onward);
    for (const end of [onward, socket]) end.on('error', () => [onward, socket].forEach((other) => other.destroy()));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => proxy.close());
  const address = proxy.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, tunnels };
}
