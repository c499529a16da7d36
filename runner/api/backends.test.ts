import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { startLocalBackends } from '../environments/local/local-backends-fixture.ts';
import type { TestBackends } from '../environments/local/local-backends-fixture.ts';
import { announce, openApi } from './api-fixture.ts';
import type { ApiWorld, Reply } from './api-fixture.ts';

let place: TestBackends;
test.before(async () => {
  place = await startLocalBackends();
});
test.after.always(() => place.close());

const services = { api: { start: 'node server.mjs', port: 3000, health: '/healthz' } };

/** A server on which the repositories `shop` and `bank` are known. */
async function open(t: ExecutionContext): Promise<ApiWorld> {
  const world = await openApi(t, { backends: place.backends });
  for (const name of ['shop', 'bank']) await announce(world, name);
  return world;
}

const create = ({ ask }: ApiWorld, body: object, token?: string): Promise<Reply> =>
  ask('/v1/backends', { method: 'POST', body, ...(token !== undefined && { token }) });

test('R000-9, R001-8: a backend is made by one request, and made again changes nothing but what is described', async (t) => {
  const world = await open(t);
  const made = await create(world, { name: 'orders', repository: 'shop', services });
  t.is(made.status, 201, made.text);
  t.is(made.headers.location, '/v1/backends/orders');
  t.like(made.json, { name: 'orders', repository: 'shop', protected: true, state: 'active' });
  const again = await create(world, {
    name: 'orders',
    repository: 'shop',
    protected: false,
    services: { api: { ...services.api, replicas: 2 } },
  });
  t.is(again.status, 200);
  t.like(again.json, { protected: true, services: { api: { replicas: 2, image: 'base', env: {} } } });
});

test('a backend belongs to its repository, which has to be known', async (t) => {
  const world = await open(t);
  t.is((await create(world, { name: 'owned', repository: 'shop', services })).status, 201);
  const stolen = await create(world, { name: 'owned', repository: 'bank', services });
  t.is(stolen.status, 409);
  t.like(stolen.json, { code: 'conflict', next: 'Choose another `backend.name`.' });
  t.is((await create(world, { name: 'lost', repository: 'nowhere', services })).status, 404);
  const ofBank = await world.token('maintainer', ['bank']);
  t.is((await create(world, { name: 'other', repository: 'shop', services }, ofBank)).status, 404);
});

test('what is no description of a backend is refused with its place', async (t) => {
  const world = await open(t);
  const place = async (body: object): Promise<unknown> =>
    ((await create(world, { repository: 'shop', ...body })).json as { readonly place?: string }).place;
  t.is(await place({ name: 'Not-A-Name' }), 'body/name');
  t.is(await place({ name: 'x', services: { api: { port: 1 } } }), 'body/services/api/start');
  t.is(await place({ name: 'x', services: { api: { start: 'a', port: 70_000 } } }), 'body/services/api/port');
  t.is(await place({ name: 'x', services: { 'test-api': { start: 'a' } } }), 'body/services/test-api');
  t.is(await place({ name: 'x', database: { engine: 'mysql' } }), 'body/database/engine');
});

test('lists come in pages, and hold what the asker may see', async (t) => {
  const world = await open(t);
  for (const name of ['list-a', 'list-b', 'list-c']) await create(world, { name, repository: 'bank', services });
  await create(world, { name: 'list-d', repository: 'shop', services });
  const token = await world.token('viewer', ['bank']);
  const names: string[] = [];
  for (let next: string | undefined = ''; next !== undefined;) {
    const cursor: string = next === '' ? '' : `&cursor=${next}`;
    const page = (await world.ask(`/v1/backends?limit=2${cursor}`, { token })).json as {
      readonly backends: readonly { readonly name: string }[];
      readonly next?: string;
    };
    t.true(page.backends.length <= 2);
    names.push(...page.backends.map(({ name }) => name));
    next = page.next;
  }
  t.deepEqual(
    names.filter((name) => name.startsWith('list-')),
    ['list-a', 'list-b', 'list-c'],
  );
  t.false(names.includes('orders'));
});

test('a backend is deleted when it is protected no more, its name was repeated and the grace is over', async (t) => {
  const world = await open(t);
  await create(world, { name: 'doomed', repository: 'shop', services, database: { engine: 'postgres' } });
  const remove = (query: string) => world.ask(`/v1/backends/doomed${query}`, { method: 'DELETE' });
  const isProtected = await remove('?confirm=doomed&graceSeconds=0');
  t.is(isProtected.status, 409);
  t.like(isProtected.json, { detail: 'the backend "doomed" is protected' });
  const protection = (value: boolean) =>
    world.ask('/v1/backends/doomed/protection', { method: 'POST', body: { protected: value } });
  t.like((await protection(false)).json, { protected: false });
  const unconfirmed = await remove('?confirm=dommed');
  t.is(unconfirmed.status, 409);
  t.like(unconfirmed.json, {
    detail:
      '"doomed" is not deleted: its name was not repeated. With it goes the testing database, the production database.',
  });
  const marked = await remove('?confirm=doomed');
  t.is(marked.status, 202);
  const { deleteAt } = marked.json as { readonly deleteAt: number };
  t.true(deleteAt > Date.now() + 500_000);
  t.like((await world.ask('/v1/backends/doomed')).json, { deleteAt });
  t.is(((await protection(true)).json as { readonly deleteAt?: number }).deleteAt, undefined);
  await protection(false);
  const deleted = await remove('?confirm=doomed&graceSeconds=0');
  t.is(deleted.status, 202);
  t.like(deleted.json, { lost: { databases: ['testing', 'production'], releases: [] } });
  t.is((await world.ask('/v1/backends/doomed')).status, 404);
  const trail = (await world.ask('/v1/audit')).text;
  for (const action of ['create-backend', 'protect-backend', 'delete-backend']) t.true(trail.includes(action), action);
});

test('R001-8: what runs is shown with its health, and a run is told why its commit is not in production', async (t) => {
  const world = await open(t);
  const runId = await world.run(
    'pipeline: p\nbackend: { name: asked, services: { api: { start: node a.js } } }\nsteps: { a: { run: echo hi } }\n',
  );
  const production = async (): Promise<unknown> =>
    ((await world.ask(`/v1/runs/${runId}/explanation`)).json as { readonly production?: unknown }).production;
  t.deepEqual(await production(), { place: 'no-backend', answer: 'There is no backend asked of this repository.' });
  await create(world, { name: 'asked', repository: 'shop', services });
  t.deepEqual(await production(), {
    place: 'no-release',
    answer: 'The run has made no release of it. Its pipeline does not promote.',
  });
  const plain = await world.run('pipeline: p\nsteps: { a: { run: echo hi } }\n');
  t.false((await world.ask(`/v1/runs/${plain}/explanation`)).text.includes('production'));
  const { json } = await world.ask('/v1/backends/asked');
  t.like(json, { name: 'asked', production: { held: [] } });
  t.deepEqual((await world.ask('/v1/backends/asked/drift')).json, { drift: [] });
  t.deepEqual((await world.ask('/v1/backends/asked/reconciliation', { method: 'POST' })).json, { drift: [] });
  const rollback = await world.ask('/v1/backends/asked/rollback', { method: 'POST', body: {} });
  t.is(rollback.status, 409);
  t.like(rollback.json, { code: 'gate', detail: 'no release is live' });
});

test('R003-7: previews are shown with what they are of and when they end, and go when that is asked for', async (t) => {
  const world = await open(t);
  await create(world, { name: 'shows', repository: 'shop', services, database: { engine: 'postgres' } });
  const path = '/v1/backends/shows/previews/preview-pr-7';
  const remove = (token?: string) => world.ask(path, { method: 'DELETE', ...(token !== undefined && { token }) });
  t.deepEqual(((await world.ask('/v1/backends/shows')).json as { readonly previews: unknown }).previews, []);
  t.is((await remove()).status, 404);
  const known = await place.backends.find('shows');
  if (known === undefined) return t.fail();
  const preview = { environment: 'preview-pr-7', branch: 'login', pullRequest: 7, ttlMs: 3_600_000, max: 1 } as const;
  const begun = Date.now();
  await place.backends.ensure({ ...known, backend: { ...known.backend, preview } });
  const { previews } = (await world.ask('/v1/backends/shows')).json as {
    readonly previews: readonly { readonly usedAt: number; readonly endsAt: number }[];
  };
  t.is(previews.length, 1);
  const [{ usedAt, endsAt } = { usedAt: 0, endsAt: 0 }] = previews;
  t.like(previews[0], {
    environment: 'preview-pr-7',
    branch: 'login',
    pullRequest: 7,
    database: 'ready',
    releases: [],
  });
  t.true(usedAt >= begun && usedAt <= Date.now());
  t.is(endsAt, usedAt + 3_600_000);

  const used = await world.begin(
    'pipeline: p\nconcurrency: { group: backend/shows/preview-pr-7 }\nsteps: { a: { run: sleep 60 } }\n',
  );
  while ((await world.store.run(used))?.phase !== 'running') await sleep(20);
  const busy = await remove();
  t.is(busy.status, 409);
  t.like(busy.json, { detail: `preview-pr-7 is not removed: the run ${used} is under way in it` });
  await world.ask(`/v1/runs/${used}/cancel`, { method: 'POST' });
  await world.ended(used);
  t.is((await remove(await world.token('viewer'))).status, 403);
  const removed = await remove(await world.token('developer', ['shop']));
  t.is(removed.status, 200, removed.text);
  t.deepEqual(await place.backends.previews.list('shows'), []);
  t.is((await remove()).status, 404);
  t.true((await world.ask('/v1/audit')).text.includes('delete-preview'));
});

test('a server that deploys no backends says so', async (t) => {
  const { ask } = await openApi(t);
  const reply = await ask('/v1/backends');
  t.is(reply.status, 409);
  t.like(reply.json, { code: 'no_backends' });
});

test('the backend of another tenant is not there for anybody else, whatever is asked', async (t) => {
  const world = await open(t);
  t.is((await create(world, { name: 'vault', repository: 'bank', services, protected: false })).status, 201);
  const token = await world.token('maintainer', ['shop']);
  const post = (path: string, body: object) => world.ask(`/v1/backends/vault${path}`, { method: 'POST', body, token });
  const replies = [
    await world.ask('/v1/backends/vault', { token }),
    await world.ask('/v1/backends/vault/drift', { token }),
    await world.ask('/v1/backends/vault?confirm=vault&graceSeconds=0', { method: 'DELETE', token }),
    await post('/protection', { protected: true }),
    await post('/rollback', { reason: 'x' }),
    await world.ask('/v1/backends/vault/reconciliation', { method: 'POST', token }),
    await world.ask('/v1/backends/nobody', { token }),
  ];
  const [unknown] = replies.slice(-1);
  for (const { status, json } of replies) t.deepEqual([status, json], [404, unknown?.json]);
  t.like((await create(world, { name: 'vault', repository: 'shop', services }, token)).json, { status: 409 });
  t.like((await world.ask('/v1/backends/vault')).json, { repository: 'bank', protected: false, state: 'active' });
});

test('bodies and names at their limits and beyond are taken or refused, and never a failure of the server', async (t) => {
  const world = await open(t);
  const longest = 'n'.repeat(63);
  t.is((await create(world, { name: longest, repository: 'shop', services })).status, 201);
  t.is((await world.ask(`/v1/backends/${longest}`)).status, 200);
  const statusOf = async (body: object) => (await create(world, { repository: 'shop', ...body })).status;
  t.is(await statusOf({ name: `${longest}n` }), 400);
  t.is(
    await statusOf({
      name: 'many',
      services: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`s${n}`, services.api])),
    }),
    400,
  );
  t.is(
    await statusOf({ name: 'huge', services: { api: { ...services.api, env: { A: 'x'.repeat(1_100_000) } } } }),
    413,
  );
  t.is(
    await statusOf({ name: 'loader', services: { api: { ...services.api, env: { LD_PRELOAD: '/tmp/x.so' } } } }),
    400,
  );
  const raw = async (body: string) => {
    const headers = { authorization: `Bearer ${world.admin}`, 'content-type': 'application/json' };
    return (await fetch(`${world.url}/v1/backends`, { method: 'POST', headers, body })).status;
  };
  for (const body of [
    '',
    '{"name":',
    '[]',
    'null',
    '{"name":"x","__proto__":{"repository":"shop"}}',
    '['.repeat(200_000),
  ])
    t.is(await raw(body), 400, body.slice(0, 50));
  for (const query of ['graceSeconds=-1', 'graceSeconds=soon', 'graceSeconds=1e12', 'confirm=a&confirm=b', 'what=1'])
    t.is((await world.ask(`/v1/backends/${longest}?${query}`, { method: 'DELETE' })).status, 400, query);
  for (const name of ['..', '%2e%2e%2f', 'A', '-a', 'a%00', `${longest}n`])
    t.true([400, 404].includes((await world.ask(`/v1/backends/${name}`)).status), name);
});
