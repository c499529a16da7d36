import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { kubectl } from '../cluster/test-cluster.ts';
import { Client } from '../server/client.ts';
import type { Message } from '../server/client.ts';
import { Place } from '../server/served.ts';
import { backendTest, stepOf, TestBackend, verdicts } from './test-backend.ts';

const waitMs = 180_000;

interface Told {
  readonly status: number;
  readonly body: unknown;
}

interface DriftRow {
  readonly object: string;
  readonly kind: string;
  readonly field?: string;
  readonly manager?: string;
  readonly is?: unknown;
  readonly shouldBe?: unknown;
}

interface Status {
  readonly environments: readonly {
    readonly environment: string;
    readonly routed?: string;
    readonly database?: string;
    readonly releases: readonly { readonly release: string; readonly state: string }[];
  }[];
}

type Ask = (method: string, path: string, body?: object) => Promise<Told>;

/** A server that knows the repository of the backend, and reaches the gateway, which is a process of this machine. */
async function serve(
  t: ExecutionContext,
  backend: TestBackend,
): Promise<{ readonly place: Place; readonly ask: Ask; readonly token: string }> {
  const gateway = `http://127.0.0.1:${new URL(process.env['E2E_GATEWAY'] ?? '').port}`;
  const place = await Place.open(t, { ...backend.env, SLUICE_GATEWAY_URL: gateway });
  const add = ['repository', 'add', backend.name, '--forge', 'git', '--url', backend.repository];
  await place.sluice(...add);
  const token = (await place.sluice('token', 'create', '--role', 'admin', '--name', 'ada')) as {
    readonly secret: string;
  };
  await place.serve();
  const ask: Ask = async (method, path, body) => {
    const headers = { authorization: `Bearer ${token.secret}`, 'content-type': 'application/json' };
    const wish = body === undefined ? {} : { body: JSON.stringify(body) };
    const reply = await fetch(`${place.url}${path}`, {
      method,
      headers: body === undefined ? { authorization: headers.authorization } : headers,
      ...wish,
    });
    return { status: reply.status, body: await reply.json() };
  };
  return { place, ask, token: token.secret };
}

async function until(isDone: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  while (!(await isDone())) {
    if (performance.now() > deadline) return false;
    await sleep(500);
  }
  return true;
}

const described = {
  services: { api: { start: 'node server.js', port: 3000, health: '/healthz' } },
  database: { engine: 'postgres' },
};

async function promoted(t: ExecutionContext, backend: TestBackend): Promise<string> {
  await backend.commit({ 'NOTE.md': randomBytes(8).toString('hex') });
  const report = await backend.run();
  t.is(report.outcome, 'succeeded', verdicts(report));
  return report.runId;
}

backendTest(
  'R000-9, R001-8, R001-15, E11: a backend is made by one request; what somebody edits is named with field and manager and put right; production is rolled back; what is protected stays',
  async (t) => {
    const backend = await TestBackend.open(t, 'node');
    const { ask, place } = await serve(t, backend);
    const { name } = backend;
    const path = `/v1/backends/${name}`;
    const wish = { name, repository: name, ...described };
    const made = await ask('POST', '/v1/backends', wish);
    t.is(made.status, 201, JSON.stringify(made.body));
    t.is((await ask('POST', '/v1/backends', wish)).status, 200);
    const { body: listed } = await ask('GET', '/v1/backends');
    t.true(JSON.stringify(listed).includes(`"name":"${name}"`));
    const status = async () => (await ask('GET', path)).body as Status;
    const isReady = async () => (await status()).environments.every(({ database }) => database === 'ready');
    t.true(await until(isReady), 'both databases answer');
    t.deepEqual((await ask('GET', `${path}/drift`)).body, { drift: [] });

    const first = await promoted(t, backend);
    const second = await promoted(t, backend);
    const [, production] = (await status()).environments;
    t.like(production, { environment: 'production', routed: 'r2', database: 'ready' });
    t.deepEqual(
      production?.releases.map(({ release, state }) => [release, state]),
      [
        ['r1', 'healthy'],
        ['r2', 'healthy'],
      ],
    );
    t.deepEqual((await ask('GET', `${path}/drift`)).body, { drift: [] }, 'nothing but Sluice was there');
    const placeOf = async (run: string) =>
      ((await ask('GET', `/v1/runs/${run}/explanation`)).body as { readonly production: { readonly place: string } })
        .production.place;
    t.deepEqual([await placeOf(first), await placeOf(second)], ['superseded', 'live']);

    const patch = (kind: string, object: string, change: object, manager = 'kubectl-edit') =>
      backend.kubectl([
        'patch',
        kind,
        object,
        '--type=json',
        `--field-manager=${manager}`,
        '-p',
        JSON.stringify(change),
      ]);
    await patch('deployment', 'api-r2', [{ op: 'replace', path: '/spec/replicas', value: 2 }]);
    await patch('deployment', 'api-r1', [
      { op: 'replace', path: '/spec/template/spec/containers/0/resources/limits/memory', value: '64Mi' },
    ]);
    await patch('httproute', 'api', [{ op: 'replace', path: '/spec/rules/0/backendRefs/0/name', value: 'api-r1' }]);
    await patch('role', 'promote', [{ op: 'replace', path: '/rules', value: [] }], 'a-script');
    await patch('statefulset', 'db', [{ op: 'remove', path: '/spec/template/spec/securityContext/runAsNonRoot' }]);
    await backend.kubectl(['delete', 'networkpolicy', 'default-deny']);
    await kubectl(['label', 'namespace', name, 'pod-security.kubernetes.io/enforce=privileged', '--overwrite']);
    // What is added beside is nobody's business.
    await backend.kubectl(['annotate', 'deployment', 'api-r2', 'team=orders']);
    const found = ((await ask('GET', `${path}/drift`)).body as { readonly drift: readonly DriftRow[] }).drift;
    t.deepEqual(
      found.map(({ object, kind, field, manager }) => [object, kind, field, manager].join(' ')).toSorted(),
      [
        'Deployment/api-r1 changed .spec.template.spec.containers[name="app"].resources.limits.memory kubectl-edit',
        'Deployment/api-r2 changed .spec.replicas kubectl-edit',
        'HTTPRoute/api changed .spec.rules[0].backendRefs[name="api-r2"].name kubectl-edit',
        `Namespace/${name} changed .metadata.labels.pod-security.kubernetes.io/enforce kubectl-label`,
        'NetworkPolicy/default-deny missing  ',
        'Role/promote changed .rules a-script',
        'StatefulSet/db changed .spec.template.spec.securityContext.runAsNonRoot ',
      ],
      JSON.stringify(found, null, 1),
    );
    t.like(
      found.find(({ object }) => object === 'Deployment/api-r2'),
      { is: 2, shouldBe: 1 },
    );
    const mended = await ask('POST', `${path}/reconciliation`);
    t.is(mended.status, 200, JSON.stringify(mended.body));
    t.deepEqual((await ask('GET', `${path}/drift`)).body, { drift: [] });
    // The database begins anew with its StatefulSet, and meanwhile whoever asks for it waits.
    const answering = () => backend.ask('/healthz').catch(() => undefined);
    t.true(await until(async () => (await answering())?.release === 'r2'), 'traffic is where it was');
    t.is(
      await backend.kubectl(['get', 'deployment', 'api-r2', '-o', 'jsonpath={.metadata.annotations.team}']),
      'orders',
    );

    const rolled = await ask('POST', `${path}/rollback`, { reason: 'orders are lost' });
    t.is(rolled.status, 200, JSON.stringify(rolled.body));
    t.like(rolled.body, { live: 'r1', promotion: { release: 'r2', state: 'rolled-back' } });
    t.like(await backend.ask('/healthz'), { status: 200, release: 'r1' });
    t.is(await placeOf(second), 'held');
    const again = await backend.run();
    t.is(stepOf(again, 'promote/check').outcome, 'failed');

    const remove = (query: string) => ask('DELETE', `${path}${query}`);
    t.like((await remove(`?confirm=${name}&graceSeconds=0`)).body, { status: 409, code: 'conflict' });
    t.is((await ask('POST', `${path}/protection`, { protected: false })).status, 200);
    t.like((await remove('?confirm=other&graceSeconds=0')).body, { status: 409, code: 'usage' });
    t.is((await ask('GET', path)).status, 200);
    t.like(await place.sluice('backend', 'show', name), { name, protected: false });
    // A second later the server begins with it by itself.
    const removed = await remove(`?confirm=${name}&graceSeconds=1`);
    t.is(removed.status, 202, JSON.stringify(removed.body));
    t.like((removed.body as { readonly lost: object }).lost, { databases: ['testing', 'production'] });
    t.true(await until(async () => (await ask('GET', path)).status === 404));
    t.is(await kubectl(['get', 'namespace', name, '--ignore-not-found', '-o', 'name']), '');
  },
);

backendTest('a namespace that Sluice did not make is not taken, found or deleted', async (t) => {
  const backend = await TestBackend.open(t, 'node');
  const { ask } = await serve(t, backend);
  const { name } = backend;
  await kubectl(['create', 'namespace', name]);
  await kubectl(['label', 'namespace', name, 'app.kubernetes.io/managed-by=sluice']);
  const namespace = () => kubectl(['get', 'namespace', name, '-o', 'jsonpath={.metadata}']);
  const before = await namespace();
  const path = `/v1/backends/${name}`;
  t.like((await ask('POST', '/v1/backends', { name, repository: name, ...described })).body, { status: 409 });
  t.is((await ask('GET', path)).status, 404);
  t.is((await ask('POST', `${path}/protection`, { protected: false })).status, 404);
  t.is((await ask('DELETE', `${path}?confirm=${name}&graceSeconds=0`)).status, 404);
  t.false(JSON.stringify((await ask('GET', '/v1/backends')).body).includes(name));
  t.like((await ask('POST', '/v1/backends', { name: 'kube-system', repository: name })).body, { status: 409 });
  t.is(await namespace(), before);
  t.is(await kubectl(['get', 'networkpolicies', '-n', 'kube-system', '-o', 'name']), '');
});

backendTest('over WebSocket a backend is made, and what holds up its end is told until it is gone', async (t) => {
  const backend = await TestBackend.open(t, 'node');
  const { place, ask, token } = await serve(t, backend);
  const { name } = backend;
  const client = await Client.greet(place.url, token);
  const isTold = (fits: (status: Message['status']) => boolean) =>
    client.hear(({ type, status }) => type === 'backend' && fits(status));
  client.say({
    type: 'create-backend',
    id: 'make',
    backend: { name, repository: name, protected: false, ...described },
  });
  t.like((await client.answer('make')).answer, { name, repository: name, state: 'active' });
  client.say({ type: 'get-backend', id: 'look', name, watch: true });
  const { answer } = await client.answer('look');
  const databases = (status: Message['status']) =>
    (status as Status | undefined)?.environments.map(({ database }) => database).join(' ');
  if (databases(answer) !== 'ready ready') await isTold((status) => databases(status) === 'ready ready');

  const finalizers = ['example.com/keep'];
  const kept = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept', finalizers } };
  await backend.kubectl(['create', '-f', '-'], kept);
  t.teardown(() => release().catch(() => ''));
  const release = () => backend.kubectl(['patch', 'configmap', 'kept', '-p', '{"metadata":{"finalizers":null}}']);
  client.say({ type: 'delete-backend', id: 'end', name, confirm: name, graceSeconds: 0 });
  t.like((await client.answer('end')).answer, { lost: { databases: ['testing', 'production'] } });
  await isTold((status) => status?.['state'] === 'ending' && String(status['obstacle']).includes('example.com/keep'));
  t.is((await ask('POST', '/v1/backends', { name, repository: name })).status, 409);
  await release();
  await isTold((status) => status === undefined);
  t.is((await ask('GET', `/v1/backends/${name}`)).status, 404);
});

backendTest('requests for one name that come at once all get an answer, and what was promised holds', async (t) => {
  const backend = await TestBackend.open(t, 'node');
  const { ask } = await serve(t, backend);
  const { name } = backend;
  const path = `/v1/backends/${name}`;
  const create = () => ask('POST', '/v1/backends', { name, repository: name, ...described, protected: false });
  const protect = (value: boolean) => ask('POST', `${path}/protection`, { protected: value });
  const remove = (seconds = 0) => ask('DELETE', `${path}?confirm=${name}&graceSeconds=${seconds}`);
  for (const { status, body } of await Promise.all([create(), create(), create(), create()]))
    t.true(status === 201 || status === 200, JSON.stringify(body));
  t.deepEqual((await ask('GET', `${path}/drift`)).body, { drift: [] });

  // Whether a protection or a deletion was first is for them to say, and only one of both can have been.
  const [kept, gone] = await Promise.all([protect(true), remove()]);
  t.true((kept.status === 200 && gone.status === 409) || gone.status === 202, JSON.stringify([kept, gone]));
  if (kept.status === 200 && gone.status === 409) {
    t.like((await ask('GET', path)).body, { protected: true, state: 'active' });
    await protect(false);
  }
  const storm = [
    create,
    remove,
    create,
    () => ask('POST', `${path}/reconciliation`),
    () => protect(false),
    create,
  ].concat([() => remove(1), () => ask('GET', path), () => ask('GET', `${path}/drift`), create, remove]);
  for (const { status, body } of await Promise.all(storm.map((act) => act())))
    t.true(status < 500, `${status} ${JSON.stringify(body)}`);
  await protect(false);
  await remove();
  t.true(await until(async () => (await ask('GET', path)).status === 404));
  t.is((await create()).status, 201);
  t.deepEqual((await ask('GET', `${path}/drift`)).body, { drift: [] });
  // Somebody else's text on the namespace holds up no list.
  await kubectl(['annotate', 'namespace', name, '--overwrite', 'sluice.dev/backend={']);
  t.is((await ask('GET', '/v1/backends')).status, 200);
  t.is((await create()).status, 200);
});

backendTest(
  'a server that is killed in the middle of a request leaves what the same request brings to its end',
  async (t) => {
    const backend = await TestBackend.open(t, 'node');
    const { ask, place } = await serve(t, backend);
    const { name } = backend;
    const path = `/v1/backends/${name}`;
    const create = () => ask('POST', '/v1/backends', { name, repository: name, ...described, protected: false });
    /** Killed so soon after the request was sent; answers what it said, if it did. */
    const cutOff = async (ms: number, act: () => Promise<Told>) => {
      const told = act().catch(() => undefined);
      await sleep(ms);
      await place.kill();
      const answer = await told;
      await place.serve();
      return answer;
    };
    for (const ms of [60, 250]) {
      await cutOff(ms, create);
      t.true((await create()).status < 300, `${ms} ms`);
      t.like((await ask('GET', path)).body, { protected: false, state: 'active' });
      t.deepEqual((await ask('GET', `${path}/drift`)).body, { drift: [] });
      await cutOff(ms, () => ask('POST', `${path}/reconciliation`));
      t.deepEqual((await ask('GET', `${path}/drift`)).body, { drift: [] });
    }
    const marked = await cutOff(150, () => ask('DELETE', `${path}?confirm=${name}&graceSeconds=1`));
    if (marked === undefined) await ask('DELETE', `${path}?confirm=${name}&graceSeconds=1`);
    t.true(await until(async () => (await ask('GET', path)).status === 404), 'the next server goes on with it');
  },
);
