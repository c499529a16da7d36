import test from 'ava';
import { createHmac } from 'node:crypto';
import { announce, openApi } from './api-fixture.ts';

const orders = { name: 'shop/orders', forge: 'gitea', url: 'https://git.example/shop/orders.git', token: 'a-token' };

test('R001-3: a repository is added, told and removed by its name with a slash, and its secrets are told once', async (t) => {
  const { ask, store, token } = await openApi(t);
  const added = await ask('/v1/repositories', { method: 'POST', body: orders });
  t.is(added.status, 201, added.text);
  const { repository, secret } = added.json as { repository: { hook: string }; secret: string };
  t.regex(repository.hook, /^\/hooks\/[0-9a-f-]{36}$/);
  t.regex(secret, /^[\w-]{32}$/);
  t.is(added.headers.location, '/v1/repositories/shop%2Forders');
  const told = await ask('/v1/repositories/shop%2Forders', { token: await token('viewer', ['shop/orders']) });
  t.deepEqual(told.json, repository);
  const list = await ask('/v1/repositories');
  t.deepEqual(list.json, { repositories: [repository] });
  const [kept] = await store.repositories();
  for (const hidden of [secret, 'a-token', kept?.secrets ?? '']) t.false((told.text + list.text).includes(hidden));
  t.is((await ask('/v1/repositories', { method: 'POST', body: orders })).status, 409);
  t.is((await ask('/v1/repositories/shop/orders')).status, 404);
  t.is((await ask('/v1/repositories/shop%2Forders', { method: 'DELETE' })).status, 200);
  t.is((await ask('/v1/repositories/shop%2Forders')).status, 404);
});

test('an address that holds a password or names no remote host is refused, and one from elsewhere is told without', async (t) => {
  const { ask, dependencies } = await openApi(t);
  for (const url of [
    'https://ada:pw@git.example/x.git',
    '/srv/x.git',
    'file:///srv/x.git',
    'ext::sh -c x',
    'https://h',
  ]) {
    const { status, json } = await ask('/v1/repositories', { method: 'POST', body: { ...orders, url } });
    t.is(status, 400, url);
    t.like(json, { place: 'body/url' });
  }
  const wish = { name: 'old', forge: 'git', file: 'sluice.yaml', forks: 'ignore', token: '' } as const;
  await dependencies.register({ ...wish, cloneUrl: 'https://ada:pw@git.example/x.git' });
  t.like((await ask('/v1/repositories/old')).json, { url: 'https://git.example/x.git' });
});

test('repositories and deliveries are listed page by page, as far as the asker may see them', async (t) => {
  const world = await openApi(t);
  const { ask, token } = world;
  const deliveries = [];
  for (const name of ['bank', 'shop', 'shop/orders', 'shop']) deliveries.push((await announce(world, name)).id);
  const pages = async (list: string, path: string, bearer: string): Promise<readonly Record<string, string>[]> => {
    const items: Record<string, string>[] = [];
    for (let next: string | undefined = ''; next !== undefined;) {
      const asked = `${path}limit=1${next && `&cursor=${encodeURIComponent(next)}`}`;
      const page = (await ask(asked, { token: bearer })).json as Record<string, Record<string, string>[]>;
      t.is(page[list]?.length, 1);
      items.push(...(page[list] ?? []));
      next = page['next'] as string | undefined;
    }
    return items;
  };
  const some = await token('viewer', ['shop', 'shop/orders']);
  const names = (await pages('repositories', '/v1/repositories?', some)).map(({ name }) => name);
  t.deepEqual(names, ['shop', 'shop/orders']);
  const seen = (await pages('deliveries', '/v1/deliveries?', some)).map(({ id }) => id ?? '');
  t.deepEqual(seen.toSorted(), deliveries.slice(1).toSorted());
  const ofShop = await pages('deliveries', '/v1/deliveries?repository=shop&', some);
  t.deepEqual(
    ofShop.map(({ repository }) => repository),
    ['shop', 'shop'],
  );
  t.deepEqual((await ask('/v1/deliveries?repository=bank', { token: some })).json, { deliveries: [] });
  t.deepEqual((await ask('/v1/deliveries', { token: await token('admin', []) })).json, { deliveries: [] });
});

test('R000-21: a replay is a new run of the same change, once for one key; what led to no run is not replayed', async (t) => {
  const world = await openApi(t);
  const { ask, store } = world;
  const { id, runId = '' } = await announce(world, 'shop');
  t.like((await ask(`/v1/deliveries/${id}`)).json, { id, repository: 'shop', outcome: 'run', reason: '', runId });
  const replay = { method: 'POST', headers: { 'idempotency-key': 'k' } };
  const replayed = await ask(`/v1/deliveries/${id}/replay`, replay);
  t.is(replayed.status, 201, replayed.text);
  t.deepEqual((await ask(`/v1/deliveries/${id}/replay`, replay)).json, replayed.json);
  const { runId: second, ...told } = replayed.json as { runId: string };
  t.like(told, { repository: 'shop', event: 'replay', outcome: 'run', reason: `Delivery ${id} was replayed.` });
  t.not(second, runId);
  t.is((await store.runs({})).length, 2);
  const [asked, again] = [(await store.events(runId))[0], (await store.events(second))[0]];
  t.deepEqual(again?.type === 'run-requested' && again.request, asked?.type === 'run-requested' && asked.request);
  const nothing = await announce(world, 'shop', 'ignored');
  t.is((await ask(`/v1/deliveries/${nothing.id}/replay`, { method: 'POST' })).status, 409);
});

test('A2: refused deliveries of an address are limited, genuine ones are not, and neither is parsed or audited before', async (t) => {
  const { ask, store } = await openApi(t, { strangersPerMinute: 3 });
  const added = await ask('/v1/repositories', { method: 'POST', body: orders });
  const { repository, secret } = added.json as { repository: { hook: string }; secret: string };
  const audited = (await store.audit(0, 100)).length;
  const send = (key: string, delivery: string, body = '{"zen":"x"}', hook = repository.hook) =>
    ask(hook, {
      method: 'POST',
      token: '',
      body,
      headers: {
        'x-gitea-event': 'ping',
        'x-gitea-delivery': delivery,
        'x-gitea-signature': createHmac('sha256', key).update(body).digest('hex'),
        accept: 'text/html',
      },
    });
  for (let index = 0; index < 10; index++) t.is((await send(secret, `genuine-${index}`)).status, 202);
  t.is((await send('wrong', 'a')).status, 401);
  t.is((await send('wrong', 'b', 'no JSON')).status, 401);
  t.is((await send('wrong', 'c', '{}', '/hooks/nope')).status, 401);
  t.is((await send('wrong', 'd')).status, 429);
  t.is((await send(secret, 'later')).status, 202);
  t.is((await store.audit(0, 100)).length, audited);
});
