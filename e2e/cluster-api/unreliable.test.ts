import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as dial, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { request } from 'undici';
import type { ClusterClient, WatchEvent } from '../../runner/cluster/cluster-client.ts';
import { ClusterError } from '../../runner/cluster/cluster-error.ts';
import { connectCluster } from '../../runner/cluster/connect.ts';
import type { ClientLimits } from '../../runner/cluster/http-cluster-client.ts';
import type { ConfigMap } from '../../runner/cluster/objects.ts';
import { configMaps } from '../../runner/cluster/resources.ts';
import { clusterTest, freshNamespace } from '../cluster/test-cluster.ts';
import { connect, writeKubeconfig } from './real-cluster.ts';

/** A line to the API server that can be cut, hold back what comes, or not be there. It sees ciphertext only. */
class Line {
  readonly #target: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #holding = false;
  connections = 0;

  constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((near) => this.#join(near));
  }

  async up(port = 0): Promise<number> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  async down(): Promise<void> {
    this.cut();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** From now on nothing comes back, while requests still arrive. */
  hold(holding: boolean): void {
    this.#holding = holding;
  }

  #join(near: Socket): void {
    this.connections += 1;
    const far = dial(Number(this.#target.port || '443'), this.#target.hostname);
    near.pipe(far);
    far.on('data', (bytes) => {
      if (!this.#holding) near.write(bytes);
    });
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
  }
}

interface Stage {
  readonly line: Line;
  readonly port: number;
  readonly namespace: string;
  /** Goes by the line. */
  readonly client: ClusterClient;
  /** Does not. */
  readonly direct: ClusterClient;
}

async function stage(t: ExecutionContext, limits: Partial<ClientLimits> = {}): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-line-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  let server = new URL('https://x');
  const place = join(folder, 'config');
  await writeKubeconfig(place, ({ clusters }) => (server = new URL(clusters[0].cluster.server)));
  const line = new Line(server);
  const port = await line.up();
  t.teardown(() => line.down());
  const kubeconfig = await writeKubeconfig(place, ({ clusters }) => {
    clusters[0].cluster.server = `https://127.0.0.1:${port}`;
    clusters[0].cluster['tls-server-name'] ??= server.hostname === '127.0.0.1' ? undefined : server.hostname;
  });
  const client = await connectCluster({ kubeconfig, limits });
  t.teardown(() => client.close());
  return { line, port, client, namespace: await freshNamespace(t, 'clusterapi'), direct: await connect(t) };
}

const body = (name: string) => ({ metadata: { name } });

/** Follows config maps until it has seen one of the name, and answers all that came until then. */
async function until(events: AsyncIterator<WatchEvent<ConfigMap>>, name: string): Promise<readonly string[]> {
  const seen: string[] = [];
  for (;;) {
    const result = await events.next();
    if (result.done === true) throw new Error('the watch ended');
    const { value } = result;
    seen.push(value.type);
    const objects = value.type === 'listed' ? value.items : [value.object];
    if (objects.some(({ metadata }) => metadata.name === name)) return seen;
  }
}

function watch({ client, namespace }: Stage, signal: AbortSignal, relistMs = 60_000, troubles: ClusterError[] = []) {
  const onTrouble = (error: ClusterError): unknown => troubles.push(error);
  return client.watch(configMaps, { namespace }, { signal, relistMs, onTrouble })[Symbol.asyncIterator]();
}

clusterTest(
  'a create whose answer was lost says that it may have happened, and the next one finds that it has',
  async (t) => {
    const { client, direct, line, namespace } = await stage(t, { deadlineMs: 2_000 });
    await client.get(configMaps, { namespace, name: 'kube-root-ca.crt' });
    // The next call takes the same connection once that is idle; a new one would not even be greeted.
    await sleep(500);
    line.hold(true);
    const lost = await t.throwsAsync(client.create(configMaps, { namespace }, body('a')), { instanceOf: ClusterError });
    t.like(lost, { reason: 'DeadlineExceeded', outcome: 'unknown' });
    t.is((await direct.get(configMaps, { namespace, name: 'a' })).metadata.name, 'a');
    line.hold(false);
    line.cut();
    const again = await t.throwsAsync(client.create(configMaps, { namespace }, body('a')), {
      instanceOf: ClusterError,
    });
    t.like(again, { reason: 'AlreadyExists' });
  },
);

clusterTest('a create waits until the server is there again, and is made once', async (t) => {
  const { client, line, namespace, port } = await stage(t);
  await line.down();
  const created = client.create(configMaps, { namespace }, body('a'));
  await sleep(1_000);
  await line.up(port);
  t.is((await created).metadata.name, 'a');
});

clusterTest('a watch whose connection is cut misses nothing and lists nothing', async (t) => {
  const scene = await stage(t);
  const { direct, line, namespace } = scene;
  const stop = new AbortController();
  const events = watch(scene, stop.signal);
  await until(events, 'kube-root-ca.crt');
  await direct.create(configMaps, { namespace }, body('a'));
  await until(events, 'a');
  const next = until(events, 'c');
  line.cut();
  await direct.create(configMaps, { namespace }, body('b'));
  await direct.create(configMaps, { namespace }, body('c'));
  t.deepEqual(await next, ['changed', 'changed']);
  stop.abort();
});

clusterTest('a watch whose connection is dead without a word is resumed, and misses nothing', async (t) => {
  const scene = await stage(t, { silenceMs: 2_000 });
  const { direct, line, namespace } = scene;
  const stop = new AbortController();
  const troubles: ClusterError[] = [];
  const events = watch(scene, stop.signal, 60_000, troubles);
  await until(events, 'kube-root-ca.crt');
  const next = until(events, 'a');
  await sleep(500);
  line.hold(true);
  await direct.create(configMaps, { namespace }, body('a'));
  while (troubles.length === 0) await sleep(100);
  line.hold(false);
  t.deepEqual(await next, ['changed']);
  t.is(troubles[0]?.reason, 'DeadlineExceeded');
  stop.abort();
});

clusterTest('a server that is away for a while does not end a watch, and is not stormed when it is back', async (t) => {
  const scene = await stage(t);
  const { client, direct, line, namespace, port } = scene;
  const stop = new AbortController();
  const events = watch(scene, stop.signal);
  await until(events, 'kube-root-ca.crt');
  const next = until(events, 'a');
  await line.down();
  const before = client.requests;
  await direct.create(configMaps, { namespace }, body('a'));
  await sleep(3_000);
  await line.up(port);
  await next;
  t.true(client.requests - before <= 10, `${client.requests - before} requests`);
  stop.abort();
});

clusterTest('a watch is ended by the server when a new list is due, and its connection is used again', async (t) => {
  const scene = await stage(t);
  const stop = new AbortController();
  const troubles: ClusterError[] = [];
  const events = watch(scene, stop.signal, 2_000, troubles);
  for (let times = 0; times < 3; times++) t.deepEqual(await until(events, 'kube-root-ca.crt'), ['listed']);
  t.deepEqual(troubles, []);
  t.true(scene.line.connections <= 2, `${scene.line.connections} connections`);
  stop.abort();
});

/** etcd forgets all that was before the revision, as the API server makes it do every five minutes. */
async function compact(revision: number): Promise<void> {
  const { statusCode, body } = await request('http://127.0.0.1:2379/v3/kv/compaction', {
    method: 'POST',
    body: JSON.stringify({ revision }),
  });
  if (statusCode !== 200) throw new Error(await body.text());
}

const ownClusterTest = process.env['E2E_CLUSTER_HOME'] === undefined ? test.skip : test;

ownClusterTest('what the scripted server of the unit tests says is what a real one says', async (t) => {
  const { direct, namespace } = await stage(t);
  const path = `/api/v1/namespaces/${namespace}`;
  const { resourceVersion } = await direct.list(configMaps, { namespace });
  await compact(Number(resourceVersion));
  // Events are what the API server keeps no cache of by default: a cache would remember more than etcd does.
  const old = await direct.raw(`${path}/events?watch=true&resourceVersion=1`);
  t.like(old, { type: 'ERROR', object: { kind: 'Status', reason: 'Expired', code: 410 } });
  const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=3&resourceVersion=${resourceVersion}`;
  const quiet = JSON.stringify(await direct.raw(`${path}/configmaps?${query}`));
  t.regex(quiet, /BOOKMARK.*resourceVersion\W+\d+/);
  const stale = Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: 1, start: 'x\u0000' })).toString('base64url');
  const error = await t.throwsAsync(direct.raw(`${path}/events?limit=1&continue=${stale}`), {
    instanceOf: ClusterError,
  });
  t.like(error, { status: 410, reason: 'Expired' });
});
