import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import test from 'ava';
import { roles } from './access.ts';
import type { Role, Verb } from './access.ts';
import { startLocalBackends } from '../environments/local/local-backends-fixture.ts';
import type { TestBackends } from '../environments/local/local-backends-fixture.ts';
import { announce, openApi } from './api-fixture.ts';
import type { ApiWorld } from './api-fixture.ts';
import { createApi } from './create-api.ts';
import { registerRoutes } from './register-routes.ts';
import { route } from './route.ts';
import type { Route } from './route.ts';

/** Written down here a second time, on purpose: a change of who may do what has to be made twice. */
const least: Readonly<Record<Verb, Role>> = {
  'read-runs': 'viewer',
  'create-run': 'developer',
  'raise-priority': 'maintainer',
  'cancel-run': 'developer',
  'rerun-run': 'developer',
  'approve-step': 'maintainer',
  'approve-run': 'maintainer',
  'read-repositories': 'viewer',
  'manage-repositories': 'admin',
  'read-deliveries': 'viewer',
  'replay-delivery': 'maintainer',
  'read-backends': 'viewer',
  'create-backend': 'maintainer',
  'reconcile-backend': 'maintainer',
  'roll-back': 'maintainer',
  'protect-backend': 'admin',
  'delete-backend': 'admin',
  'delete-preview': 'developer',
  'read-metrics': 'viewer',
  'read-audit': 'admin',
  'manage-tokens': 'admin',
};

let place: TestBackends;
test.before(async () => {
  place = await startLocalBackends();
});
test.after.always(() => place.close());

const pipeline = 'pipeline: p\nsteps: { a: { run: "echo hi" } }\n';

interface Target {
  readonly runId: string;
  readonly repository: string;
  readonly caseId: string;
  readonly deliveryId: string;
  readonly backend: string;
}

const absent: Target = {
  runId: 'nothing-here',
  repository: 'nowhere',
  caseId: '0'.repeat(32),
  deliveryId: randomUUID(),
  backend: 'nobody',
};

/** A request that is well formed, for the thing that is meant. */
function requestFor({ path, method, query }: Route, { runId, repository, caseId, deliveryId, backend }: Target) {
  const values: Readonly<Record<string, string>> = {
    ...{
      runId,
      caseId,
      deliveryId,
      backend,
      preview: 'preview-pr-1',
      step: 'a',
      attempt: '1',
      tokenId: 'f'.repeat(16),
    },
    // Others are still to ask for the repository when somebody was allowed to remove it.
    repository: encodeURIComponent(method === 'DELETE' ? absent.repository : repository),
  };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
  const words = query && 'properties' in query ? Object.keys(query.properties as object) : [];
  const search = [
    ...(words.includes('repository') ? [`repository=${repository}`] : []),
    ...(words.includes('path') ? ['path=none'] : []),
  ];
  const bodies: Readonly<Record<string, unknown>> = {
    '/v1/runs': { repository, commit: 'HEAD' },
    '/v1/runs/{runId}/rerun': {},
    '/v1/runs/{runId}/steps/{step}/approval': { approved: true },
    '/v1/runs/{runId}/approval': { commit: 'c'.repeat(40), approved: true },
    '/v1/repositories': { name: 'new', forge: 'git', url: 'https://git.example/new.git' },
    '/v1/backends': { name: `new-${repository}`, repository },
    '/v1/backends/{backend}/rollback': {},
    '/v1/backends/{backend}/protection': { protected: true },
    '/v1/tokens': { name: 'x', role: 'viewer' },
  };
  return {
    url: filled + (search.length > 0 ? `?${search.join('&')}` : ''),
    method,
    ...(method === 'POST' && path in bodies && { body: bodies[path] }),
  };
}

/** Streams that never end by themselves are asked for without their body. */
const isEndless = ({ id }: Route): boolean => id === 'follow-events';

async function statusOf(
  { ask }: ApiWorld,
  one: Route,
  target: Target,
  token: string,
): Promise<{ status: number; text: string }> {
  const { url, method, body } = requestFor(one, target);
  return ask(url, { method: isEndless(one) ? 'HEAD' : method, token, ...(body !== undefined && { body }) });
}

test('every route, for every kind of token and for what is own, foreign and absent', async (t) => {
  const world = await openApi(t, { backends: place.backends });
  const { routes, run, token, store } = world;
  const targetOf = async (repository: string, digit: string): Promise<Target> => {
    const runId = await run(pipeline, repository);
    const deliveryId = (await announce(world, repository)).id;
    const backend = `of-${repository}`;
    await place.backends.ensure({ backend: { name: backend, services: [] }, repository });
    return { runId, repository, caseId: digit.repeat(32), deliveryId, backend };
  };
  const [own, foreign] = [await targetOf('shop', 'a'), await targetOf('bank', 'b')];
  const revoked = await token('admin');
  const { digestOf } = await import('./tokens.ts');
  const known = await store.findToken(digestOf(revoked));
  await store.revokeToken(known?.id ?? '', 1);
  const strangers = ['', 'garbage', 'sluice_garbage', revoked, await token('admin', undefined, { expiresAt: 1 })];
  const holders = await Promise.all(
    roles.map(async (role) => ({ role, all: await token(role), shop: await token(role, ['shop']) })),
  );
  let checked = 0;
  for (const one of routes) {
    const { access } = one;
    const title = `${one.method} ${one.path}`;
    for (const stranger of strangers) {
      const { status, text } = await statusOf(world, one, own, stranger);
      // A hook asks for a signature, never for a token.
      const refused = status === 401 && !text.includes('not_genuine');
      t.is(refused, access !== 'public', `${title} for a stranger: ${status}`);
      checked++;
    }
    if (access === 'public') continue;
    for (const { role, all, shop } of holders) {
      const may = roles.indexOf(role) >= roles.indexOf(least[access.verb]);
      const whole = await statusOf(world, one, own, all);
      t.is(whole.status === 403, !may, `${title} as ${role}: ${whole.status}`);
      if (access.on === 'installation') {
        t.is((await statusOf(world, one, own, shop)).status, 403, `${title} as ${role} of one repository`);
      } else if (access.on !== 'visible') {
        t.is((await statusOf(world, one, own, shop)).status === 403, !may, `${title} as ${role} of shop`);
        const [other, nothing] = [await statusOf(world, one, foreign, shop), await statusOf(world, one, absent, shop)];
        const hidden = one.body && access.on === 'repository' && !may ? 403 : 404;
        t.is(other.status, hidden, `${title} as ${role} of shop, of the bank's: ${other.status}`);
        t.is(nothing.text, other.text, `${title} as ${role}: what is foreign looks as if it were not there`);
      }
      checked++;
    }
  }
  t.true(checked > 150, String(checked));
});

test('lists and events hold what the asker may see, and nothing of others', async (t) => {
  const { ask, run, token } = await openApi(t);
  const [shop, bank] = [await run(pipeline, 'shop'), await run(pipeline, 'bank')];
  for (const path of ['/v1/runs', '/v1/events']) {
    const seen = (await ask(path, { token: await token('viewer', ['shop']) })).text;
    t.deepEqual([seen.includes(shop), seen.includes(bank)], [true, false], path);
    const nobody = (await ask(path, { token: await token('admin', []) })).text;
    t.deepEqual([nobody.includes(shop), nobody.includes(bank)], [false, false], path);
  }
  t.deepEqual((await ask('/v1/runs?repository=bank', { token: await token('viewer', ['shop']) })).json, { runs: [] });
});

test('a GET changes nothing in the database', async (t) => {
  const world = await openApi(t, { backends: place.backends });
  await place.backends.ensure({ backend: { name: 'of-shop', services: [] }, repository: 'shop' });
  const runId = await world.run(pipeline);
  const announced = await announce(world, 'shop');
  await world.ended(announced.runId ?? '');
  const deliveryId = announced.id;
  const target = { backend: 'of-shop', runId, repository: 'shop', caseId: 'a'.repeat(32), deliveryId };
  const before = dump(world.path('sluice.db'));
  for (const one of world.routes.filter(({ method }) => method === 'GET'))
    await statusOf(world, one, target, world.admin);
  t.deepEqual(dump(world.path('sluice.db')), before);
});

function dump(file: string): unknown {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const tables = database.prepare("select name from sqlite_master where type = 'table' order by name").all();
    return tables.map(({ name }) => [name, database.prepare(`select * from "${String(name)}"`).all()]);
  } finally {
    database.close();
  }
}

test('a route that does not say who may call it fails the start', async (t) => {
  const { dependencies, routes } = await openApi(t);
  t.true(routes.length > 20);
  const api = await createApi(dependencies);
  const open = route({
    method: 'GET',
    path: '/v1/open',
    id: 'open',
    summary: '',
    tag: '',
    access: 'public',
    answers: {},
    handle: () => 1,
  });
  const around = {
    dependencies,
    authenticate: () => Promise.resolve(undefined),
    limitStranger: () => Promise.resolve(),
  };
  t.throws(() => registerRoutes(api, [{ ...open, access: undefined } as unknown as Route], around), {
    message: /\/v1\/open does not say who may call it/,
  });
  await api.close();
});
