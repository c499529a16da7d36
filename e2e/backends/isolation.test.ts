import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { restricted } from '../../runner/environments/kubernetes/confinement.ts';
import { freshNamespace, imageOf, kubectl, waitFor } from '../cluster/test-cluster.ts';
import { askGateway, domain } from './ask-gateway.ts';
import { mayConnect } from './network-table.ts';
import type { NetworkPolicy, Peer, Target } from './network-table.ts';
import { backendTest, TestBackend, verdicts } from './test-backend.ts';

const { UPDATE_GOLDEN } = process.env;

interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly status: { readonly phase: string; readonly podIP?: string };
}

interface SecretObject {
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
}

function golden(t: ExecutionContext, file: string, found: unknown): void {
  const path = new URL(file, import.meta.url);
  if (UPDATE_GOLDEN === '1') writeFileSync(path, `${JSON.stringify(found, null, 2)}\n`);
  t.deepEqual(found, JSON.parse(readFileSync(path, 'utf8')));
}

/** Every pod that the namespace of a backend has while a commit goes to production, by what it is. */
async function podsOfRun(t: ExecutionContext, backend: TestBackend): Promise<ReadonlyMap<string, PodObject>> {
  const seen = new Map<string, PodObject>();
  const running = backend.begin('run');
  const ended = running.report();
  while (!running.isOver) {
    for (const pod of await backend.objects<PodObject>('pods').catch(() => [])) seen.set(nameOf(pod), pod);
    await sleep(300);
  }
  const report = await ended;
  t.is(report.outcome, 'succeeded', verdicts(report));
  return seen;
}

/** Steps with an environment are those of its gates. */
function nameOf({ metadata: { labels } }: PodObject): string {
  const { 'sluice.dev/environment': environment, 'sluice.dev/role': role = 'step' } = labels;
  return environment === undefined ? role : `${environment} ${role}`;
}

/** A program in the pod of an app; answers what it printed. */
async function inApp(backend: TestBackend, environment: 'testing' | 'production', program: string): Promise<string> {
  const [pod] = await backend.objects<PodObject>(
    'pods',
    '-l',
    `sluice.dev/environment=${environment},sluice.dev/role=app`,
  );
  return backend.kubectl(['exec', pod?.metadata.name ?? '', '--', 'node', '--input-type=module', '-e', program]);
}

const knocks = `import pg from 'pg';
const url = new URL(process.env.DATABASE_URL);
const answers = {};
for (const host of ['test-db', 'db']) for (const database of ['app', 'postgres']) {
  url.hostname = host; url.pathname = database;
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 5000 });
  answers[host + '/' + database] = await client.connect().then(() => 'lets in', ({ code, message }) => code ?? message);
  await client.end().catch(() => undefined);
}
console.log(JSON.stringify(answers));`;

const looks = `import { readFileSync, globSync } from 'node:fs';
const files = ['/var/run/secrets/**', '/run/secrets/**', '/etc/**/*secret*', '/proc/1/environ', '/app/**/.env'];
const read = (file) => { try { return readFileSync(file, 'utf8'); } catch { return ''; } };
console.log(JSON.stringify(process.env), ...files.flatMap((pattern) => globSync(pattern)).map(read));`;

backendTest(
  'E5, R000-2, R000-8: pods, accounts and networks of a backend reach what they need and nothing of production or of others',
  async (t) => {
    const backend = await TestBackend.open(t, 'node');
    const pods = await podsOfRun(t, backend);

    await t.notThrowsAsync(async () => {
      // No policy is enforced on the cluster of the tests, so it is the database itself that refuses.
      const answers = JSON.parse(await inApp(backend, 'testing', knocks)) as Readonly<Record<string, string>>;
      t.like(answers, { 'test-db/app': 'lets in' });
      for (const database of ['app', 'postgres']) t.regex(answers[`db/${database}`] ?? '', /^28P01$|timeout/);
    });

    const visible = await inApp(backend, 'testing', looks);
    const production = (await backend.objects<SecretObject>('secrets')).filter(({ metadata }) =>
      metadata.name.startsWith('db-'),
    );
    t.is(production.length, 3);
    for (const { metadata, data } of production) {
      const password = Buffer.from(data['password'] ?? '', 'base64').toString();
      t.true(password.length > 20);
      t.false(visible.includes(password), metadata.name);
    }
    const [own] = (await backend.objects<SecretObject>('secrets')).filter(
      ({ metadata }) => metadata.name === 'test-db-app',
    );
    t.true(
      visible.includes(Buffer.from(own?.data['password'] ?? '', 'base64').toString()),
      'the look finds what is there',
    );

    const reached = await table(backend, pods);
    golden(t, 'network.json', reached);
    await tryConnections(t, backend, reached);
    golden(t, 'accounts.json', await rights(backend));
  },
);

/** A program that tells which of these addresses let it in. */
function connecting(addresses: readonly (readonly [host: string, port: number])[]): string {
  return `import { connect } from 'node:net';
const tried = ${JSON.stringify(addresses)}.map(([host, port]) => new Promise((resolve) => {
  const socket = connect({ host, port, timeout: 3000 });
  const end = (letsIn) => () => { socket.destroy(); resolve(letsIn); };
  socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
}));
console.log(JSON.stringify(await Promise.all(tried)));`;
}

/** Whether the cluster heeds policies at all: a pod that nothing is allowed reaches the API server where it does not. */
async function enforcesPolicies(t: ExecutionContext): Promise<boolean> {
  const namespace = await freshNamespace(t, 'policies');
  const metadata = { name: 'nothing', namespace };
  await kubectl(['create', '-f', '-'], {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  });
  const address = await kubectl(['get', 'service', 'kubernetes', '-n', 'default', '-o', 'jsonpath={.spec.clusterIP}']);
  const command = ['node', '--input-type=module', '-e', connecting([[address, 443]])];
  await kubectl(['create', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: {
      restartPolicy: 'Never',
      securityContext: restricted.pod,
      containers: [
        {
          name: 'probe',
          image: imageOf('node-24'),
          command,
          securityContext: restricted.container,
        },
      ],
    },
  });
  await waitFor(['pod/nothing', '-n', namespace], 'jsonpath={.status.phase}=Succeeded');
  return (await kubectl(['logs', 'nothing', '-n', namespace])).trim() === '[false]';
}

/** The table as real connections from both apps to whatever runs: what it allows opens anywhere, what it denies is refused wherever policies are heeded. */
async function tryConnections(
  t: ExecutionContext,
  backend: TestBackend,
  reached: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  const enforced = await enforcesPolicies(t);
  t.log(enforced ? 'policies are enforced here' : 'no policy is enforced here: what they deny was not tried');
  const running = (await backend.objects<PodObject>('pods')).filter(({ status }) => status.phase === 'Running');
  for (const environment of ['testing', 'production'] as const) {
    const from = `${environment} app`;
    const targets = running.filter((pod) => nameOf(pod) !== from);
    t.true(targets.length >= 3);
    const addresses = targets.map((pod) => [pod.status.podIP ?? '', portOf(nameOf(pod))] as const);
    const opened = JSON.parse(await inApp(backend, environment, connecting(addresses))) as readonly boolean[];
    for (const [index, pod] of targets.entries()) {
      const isAllowed = reached[from]?.includes(nameOf(pod)) ?? false;
      if (isAllowed || enforced) t.is(opened[index], isAllowed, `${from} to ${nameOf(pod)}`);
    }
  }
}

function portOf(name: string): number {
  return name.endsWith('database') ? 5432 : name.endsWith('app') ? 3000 : 8080;
}

/** Who may open a connection to whom, by what is stored. Another backend has policies like these. */
async function table(
  backend: TestBackend,
  seen: ReadonlyMap<string, PodObject>,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const own = await backend.objects<NetworkPolicy>('networkpolicies');
  const policies = [...own, ...own.map((policy) => ({ ...policy, metadata: { namespace: 'other' } }))];
  const inside = [...seen].map(([name, { metadata }]): Peer => ({
    name,
    namespace: backend.name,
    labels: metadata.labels,
  }));
  const others = inside.map((peer) => ({ ...peer, name: `other backend's ${peer.name}`, namespace: 'other' }));
  const targets: readonly Target[] = [
    ...[...inside, ...others].map((peer) => ({ ...peer, port: portOf(peer.name) })),
    ...inside
      .filter(({ name }) => name.endsWith('database'))
      .map((peer) => ({ ...peer, name: `${peer.name}, port 22`, port: 22 })),
    { name: 'name server', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' }, port: 53, protocol: 'UDP' },
    { name: 'internet', address: '203.0.113.9', port: 443 },
    { name: 'metadata service', address: '169.254.169.254', port: 80 },
    { name: 'another private network', address: '10.1.2.3', port: 443 },
  ];
  const gateway: Peer = { name: 'gateway', namespace: 'gateway', labels: {} };
  const reached = (from: Peer): readonly string[] =>
    targets
      .filter((to) => to.name !== from.name && (inside.includes(from) || to.namespace === backend.name))
      .filter((to) => mayConnect(policies, from, to))
      .map(({ name }) => name)
      .toSorted((a, b) => a.localeCompare(b));
  const from = [...inside, gateway, ...others].toSorted((a, b) => a.name.localeCompare(b.name));
  return Object.fromEntries(from.map((peer) => [peer.name, reached(peer)]));
}

/** What each account may do in the namespace, but for what Kubernetes gives to everybody. */
async function rights(backend: TestBackend): Promise<object> {
  const lists = ['default', 'run-tests', 'migrate', 'deploy-test', 'promote'].map(async (account) => {
    const user = `system:serviceaccount:${backend.name}:${account}`;
    const listed = await backend.kubectl(['auth', 'can-i', '--list', `--as=${user}`, '--no-headers']);
    const lines = listed.split('\n').map((line) => line.replaceAll(/\s+/g, ' ').trim());
    const own = lines.filter((line) => line !== '' && !/^(\[|selfsubject)/.test(line));
    return [account, own.toSorted((a, b) => a.localeCompare(b))] as const;
  });
  return Object.fromEntries(await Promise.all(lists));
}

backendTest(
  'E5, R000-10: a host leads to its own backend only, and nobody takes the namespace of another',
  async (t) => {
    const [words, other] = [await TestBackend.open(t, 'python'), await TestBackend.open(t, 'python')];
    const server = words.read('server.py');
    const serves = (name: string) => server.replace('"healthy": True', `"backend": "${name}"`);
    await words.commit({ 'server.py': serves('first') });
    await other.commit({ 'server.py': serves('second') });
    for (const backend of [words, other]) {
      const report = await backend.run();
      t.is(report.outcome, 'succeeded', verdicts(report));
    }
    for (let round = 0; round < 25; round += 1) {
      for (const testing of [false, true]) {
        t.is((await words.ask('/healthz', { testing })).body, '{"backend": "first"}');
        t.is((await other.ask('/healthz', { testing })).body, '{"backend": "second"}');
      }
    }
    for (const host of [`x.${words.name}.${domain}`, `nobody.${domain}`, domain]) {
      t.like(await askGateway(host, '/healthz'), { status: 404, release: undefined }, host);
    }

    // The second repository says that it is the first backend, and then that it is a part of Kubernetes.
    for (const [name, refusal] of [
      [words.name, /belongs to another repository/],
      ['kube-system', /was not made by Sluice/],
    ] as const) {
      await other.commit({ 'sluice.yaml': other.pipeline([`name: ${other.name}`, `name: ${name}`]) });
      const stolen = await other.run();
      t.not(stolen.outcome, 'succeeded');
      t.regex(stolen.steps.map(({ message = '' }) => message).join('\n'), refusal);
    }
    t.is((await words.ask('/healthz')).body, '{"backend": "first"}');
    t.is(
      await kubectl(['get', 'all', '-n', 'kube-system', '-l', 'app.kubernetes.io/managed-by=sluice', '-o', 'name']),
      '',
    );
  },
);
