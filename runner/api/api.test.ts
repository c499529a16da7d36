import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { firstBreak } from '../store/audit-chain.ts';
import type { AuditEntry } from '../store/server-records.ts';
import { announce, openApi, send } from './api-fixture.ts';
import { openapiOf } from './openapi.ts';
import type { Problem } from './problem.ts';

const green = 'pipeline: p\nsteps: { a: { run: echo hello } }\n';
const red = 'pipeline: p\nsteps: { a: { run: "echo no; exit 3" }, b: { run: "true" } }\n';

interface Report {
  readonly runId: string;
  readonly outcome?: string;
  readonly request: { readonly repository: string; readonly rerunOf?: string };
  readonly steps: readonly { readonly id: string; readonly outcome?: string }[];
}

test('schemas/openapi.json is what the routes say', async (t) => {
  const { routes } = await openApi(t);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  const stored: unknown = JSON.parse(readFileSync('schemas/openapi.json', 'utf8'));
  t.deepEqual(
    JSON.parse(JSON.stringify(openapiOf(routes, version))),
    stored,
    'Write it anew from `GET /v1/openapi.json` of `sluice serve`.',
  );
});

test('a run is made, listed and shown, and repeated from a step', async (t) => {
  const { ask, run, ended } = await openApi(t);
  const runId = await run(red);
  const { json: list } = await ask('/v1/runs?repository=shop&outcome=failed');
  t.is((list as { readonly runs: readonly Report[] }).runs[0]?.runId, runId);
  const { json: report } = await ask(`/v1/runs/${runId}`);
  t.like(report, { outcome: 'failed', request: { repository: 'shop' } });
  t.is((await ask(`/v1/runs/${runId}/steps/b`)).status, 200);
  const { status, json, headers } = await ask(`/v1/runs/${runId}/rerun`, { method: 'POST', body: { from: 'a' } });
  t.is(status, 201);
  const again = (json as Report).runId;
  t.is(headers.location, `/v1/runs/${again}`);
  await ended(again);
  t.like((await ask(`/v1/runs/${again}`)).json, { request: { rerunOf: runId } });
  t.is((await ask(`/v1/runs/${runId}/rerun`, { method: 'POST', body: { from: 'z' } })).status, 422);
});

test('the mistakes of a pipeline end its run, which tells them with line and column', async (t) => {
  const { ask, run } = await openApi(t);
  const runId = await run('pipeline: p\nsteps: { a: { rum: "true" } }\n');
  const { json } = await ask(`/v1/runs/${runId}`);
  t.like(json, {
    outcome: 'failed',
    reason: 'pipeline_invalid',
    problems: { 0: { file: 'sluice.yaml', line: 2 } },
  });
});

test('a run that is under way is explained and cancelled; one that has ended is not', async (t) => {
  const { ask, begin, ended } = await openApi(t);
  const runId = await begin(
    'pipeline: p\nsteps: { gate: { approval: { message: "ship it?" } }, b: { run: "true" } }\n',
  );
  let answer = '';
  while (!answer.includes('ship it?')) {
    answer = ((await ask(`/v1/runs/${runId}/explanation`)).json as { readonly answer: string }).answer;
  }
  t.regex(answer, /gate/);
  t.is((await ask(`/v1/runs/${runId}/cancel`, { method: 'POST' })).status, 202);
  await ended(runId);
  t.like((await ask(`/v1/runs/${runId}`)).json, { outcome: 'cancelled', cancelledBy: 'token:admin-of-all' });
  t.like(await ask(`/v1/runs/${runId}/cancel`, { method: 'POST' }), { status: 409 });
});

test('a step is approved in the name of the token', async (t) => {
  const { ask, begin, ended, engine } = await openApi(t);
  const runId = await begin('pipeline: p\nsteps: { gate: { approval: { message: "ship it?" } } }\n');
  const approve = () => ask(`/v1/runs/${runId}/steps/gate/approval`, { method: 'POST', body: { approved: true } });
  while ((await approve()).status === 409);
  await ended(runId);
  const { steps } = await engine.state(runId);
  t.like(steps.get('gate'), {
    approval: { approved: true, by: 'token:admin-of-all' },
    verdict: { outcome: 'succeeded' },
  });
});

test('pages hold every run once, also while new ones come', async (t) => {
  const { ask, store } = await openApi(t);
  const { newRun, owner } = await import('../store/contract-data.ts');
  for (let i = 0; i < 7; i++) await store.createRun(newRun(`r${i}`, { createdAt: i }), owner('a'));
  const seen: string[] = [];
  let path: string | undefined = '/v1/runs?limit=3';
  while (path !== undefined) {
    const { runs, next } = (await ask(path)).json as { readonly runs: readonly Report[]; readonly next?: string };
    seen.push(...runs.map(({ runId }) => runId));
    await store.createRun(newRun(`new${seen.length}`, { createdAt: 100 }), owner('a'));
    path = next === undefined ? undefined : `/v1/runs?limit=3&cursor=${next}`;
  }
  t.deepEqual(seen, ['r6', 'r5', 'r4', 'r3', 'r2', 'r1', 'r0']);
  for (const cursor of ['x', 'c1.', 'c1.eA', 'c1.bm9uZQ']) {
    t.like(await ask(`/v1/runs?cursor=${cursor}`), { status: 400, json: { place: 'query/cursor' } }, cursor);
  }
});

test('every error is a problem with code, place and next step', async (t) => {
  const { ask, url, admin } = await openApi(t);
  const told = async (path: string, asked: Parameters<typeof ask>[1] = {}) => {
    const { status, headers, json } = await ask(path, asked);
    const { code, place, next, status: own } = json as Problem;
    t.is(headers['content-type'], 'application/problem+json; charset=utf-8', path);
    t.is(own, status);
    t.truthy(headers['x-request-id']);
    return { status, code, place, next: typeof next };
  };
  const next = 'string';
  const post = { method: 'POST' };
  t.deepEqual(await told('/v1/nothing'), { status: 404, code: 'not_found', place: undefined, next });
  t.deepEqual(await told('/'), { status: 404, code: 'not_found', place: undefined, next });
  t.regex((await ask('/')).text, /below \/v1.*\/v1\/openapi\.json/);
  t.deepEqual(await told('/v1/runs?what=1'), { status: 400, code: 'invalid', place: 'query/what', next });
  t.deepEqual(await told('/v1/runs', { ...post, body: { repository: 'shop' } }), {
    status: 400,
    code: 'invalid',
    place: 'body/commit',
    next,
  });
  t.deepEqual(await told('/v1/runs', { ...post, body: { repository: 1, commit: 'x' } }), {
    status: 400,
    code: 'invalid',
    place: 'body/repository',
    next,
  });
  t.like(await told('/v1/runs', { method: 'PUT' }), { status: 405, code: 'method_not_allowed', next });
  t.like(await told('/v1/runs', { headers: { accept: 'text/html' } }), { status: 406, code: 'not_acceptable', next });
  t.like(await told('/v1/runs', { ...post, body: '{', headers: { 'content-type': 'text/plain' } }), {
    status: 415,
    next,
  });
  t.like(await told('/v1/runs', { ...post, body: '{' }), { status: 400, next });
  const detail = async (path: string, asked = {}) => ((await ask(path, asked)).json as Problem).detail;
  t.is(await detail('/v1/runs', { ...post, body: { repository: 'shop' } }), 'body/commit is missing.');
  t.regex(await detail('/v1/runs?outcome=red'), /^query\/outcome must be one of succeeded, failed, /);
  t.like(await told('/v1/runs', { ...post, body: { repository: 'x'.repeat(1_100_000), commit: '' } }), {
    status: 413,
    next,
  });
  t.like(await told('/v1/%zz'), { status: 400 });
  t.like(await told('/v1/runs', { token: '' }), {
    status: 401,
    code: 'unauthenticated',
    place: 'header/authorization',
    next,
  });
  t.is((await send(`${url}/v1/runs`, 'OPTIONS', undefined, {})).headers.allow, 'GET, POST, HEAD');
  const large = await raw(url, `GET /v1/runs HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
  t.regex(large, /^HTTP\/1.1 431 [\s\S]*problem\+json[\s\S]*headers_too_large/);
  t.regex(await raw(url, 'what is this\r\n\r\n'), /^HTTP\/1.1 400 [\s\S]*bad_request/);
  t.false(JSON.stringify(await ask('/v1/runs', { token: `${admin}x` })).includes(admin));
});

function raw(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

test('an unchanged answer is not sent again, a long one is packed, HEAD has no body', async (t) => {
  const { ask, run, url, admin } = await openApi(t);
  const runId = await run(green);
  const { headers } = await ask(`/v1/runs/${runId}`);
  t.regex(headers.etag ?? '', /^W\/"/);
  t.like(await ask(`/v1/runs/${runId}`, { headers: { 'if-none-match': headers.etag ?? '' } }), {
    status: 304,
    text: '',
  });
  t.is((await ask(`/v1/runs/${runId}`, { headers: { 'if-none-match': 'W/"x"' } })).status, 200);
  t.like(await ask(`/v1/runs/${runId}`, { method: 'HEAD' }), { status: 200, text: '' });
  const packed = await fetch(`${url}/v1/openapi.json`, {
    headers: { authorization: `Bearer ${admin}`, 'accept-encoding': 'gzip' },
  });
  t.is(packed.headers.get('content-encoding'), 'gzip');
  t.is(((await packed.json()) as { readonly openapi: string }).openapi, '3.1.0');
});

test('a run has the priority that it is asked for with, which is raised by maintainers only', async (t) => {
  const { ask, commit, token, ended } = await openApi(t);
  await commit(red);
  const post = (priority: unknown, bearer?: string) =>
    ask('/v1/runs', {
      method: 'POST',
      body: { repository: 'shop', commit: 'HEAD', priority },
      ...(bearer !== undefined && { token: bearer }),
    });
  const [developer, maintainer] = [await token('developer', ['shop']), await token('maintainer', ['shop'])];
  t.like(await post(1, developer), { status: 403, json: { code: 'forbidden', place: 'body/priority' } });
  for (const wrong of [101, -101, 0.5, 'high', null])
    t.like(await post(wrong), { status: 400, json: { place: 'body/priority' } }, String(wrong));
  const priorityOf = async (made: { readonly json: unknown }) => {
    const { runId } = made.json as { readonly runId: string };
    await ended(runId);
    const { request } = (await ask(`/v1/runs/${runId}`)).json as { readonly request: { readonly priority?: number } };
    const { runs } = (await ask('/v1/runs')).json as { readonly runs: readonly { runId: string; priority: number }[] };
    return { runId, told: [request.priority, runs.find((run) => run.runId === runId)?.priority] };
  };
  t.deepEqual((await priorityOf(await post(0, developer))).told, [undefined, 0]);
  t.deepEqual((await priorityOf(await post(-7, developer))).told, [-7, -7]);
  const { runId, told } = await priorityOf(await post(100, maintainer));
  t.deepEqual(told, [100, 100]);
  const again = await ask(`/v1/runs/${runId}/rerun`, { method: 'POST', body: {}, token: developer });
  t.deepEqual((await priorityOf(again)).told, [100, 100]);
});

test('a run is part of the trace of the request that asked for it, and a traceparent that is none is ignored', async (t) => {
  const world = await openApi(t);
  const { ask, commit, ended, store } = world;
  await commit(red);
  const parentOf = async ({ json }: { readonly json: unknown }) => {
    const { runId } = json as { readonly runId: string };
    await ended(runId);
    const [first] = await store.events(runId);
    return first?.type === 'run-requested' || first?.type === 'run-created' ? first.request.traceParent : t.fail();
  };
  const [traceId, parentId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
  const post = (path: string, traceparent: string, body?: object) =>
    ask(path, { method: 'POST', headers: { traceparent }, ...(body && { body }) });
  const wish = { repository: 'shop', commit: 'HEAD' };
  const made = await post('/v1/runs', `00-${traceId}-${parentId}-01`, wish);
  t.deepEqual(await parentOf(made), { traceId, parentId, sampled: true });
  t.is(await parentOf(await post('/v1/runs', `00-${traceId}-${parentId}`, wish)), undefined);
  const { runId } = made.json as { readonly runId: string };
  const again = await post(`/v1/runs/${runId}/rerun`, `00-${'a'.repeat(32)}-${parentId}-00`, {});
  t.deepEqual(await parentOf(again), { traceId: 'a'.repeat(32), parentId, sampled: false });
  const { id } = await announce(world, 'shop');
  const replayed = await post(`/v1/deliveries/${id}/replay`, `00-${'b'.repeat(32)}-${parentId}-01`);
  t.deepEqual(await parentOf(replayed), { traceId: 'b'.repeat(32), parentId, sampled: true });
});

test('a request with a key is carried out once, and its answer given again', async (t) => {
  const { ask, commit, store, token } = await openApi(t);
  await commit(green);
  const body = { repository: 'shop', commit: 'HEAD' };
  const post = (change: object = {}, bearer?: string) =>
    ask('/v1/runs', {
      method: 'POST',
      body: { ...body, ...change },
      headers: { 'idempotency-key': 'k1' },
      ...(bearer !== undefined && { token: bearer }),
    });
  const [first, second] = await Promise.all([post(), post()]);
  t.deepEqual([first.status, second.status].toSorted(), [201, 409]);
  const third = await post();
  t.is(third.headers['idempotent-replayed'], 'true');
  t.deepEqual(third.json, (first.status === 201 ? first : second).json);
  t.is((await store.runs({})).length, 1);
  t.like(await post({ file: 'other.yaml' }), { status: 422, json: { code: 'key_reused' } });
  t.is((await post({}, await token('developer', ['shop']))).status, 201, 'a key is one of its own for each subject');
});

test('the secret of a token is told once and kept nowhere', async (t) => {
  const world = await openApi(t);
  const { ask } = world;
  const made = await ask('/v1/tokens', {
    method: 'POST',
    body: { name: 'ci', role: 'viewer' },
    headers: { 'idempotency-key': 'k' },
  });
  const { secret, token } = made.json as { readonly secret: string; readonly token: { readonly id: string } };
  t.is((await ask('/v1/runs', { token: secret })).status, 200);
  t.like(
    await ask('/v1/tokens', {
      method: 'POST',
      body: { name: 'ci', role: 'viewer' },
      headers: { 'idempotency-key': 'k' },
    }),
    { status: 409, json: { code: 'answer_gone' } },
  );
  t.false((await ask('/v1/tokens')).text.includes(secret));
  for (const file of ['sluice.db', 'sluice.db-wal']) t.false(readFileSync(world.path(file)).includes(secret), file);
  t.is((await ask(`/v1/tokens/${token.id}`, { method: 'DELETE' })).status, 200);
  t.is((await ask('/v1/runs', { token: secret })).status, 401);
});

test('who asked for a change stands in the audit trail, in a chain', async (t) => {
  const { ask, run } = await openApi(t);
  const runId = await run(green);
  await ask(`/v1/runs/${runId}/cancel`, { method: 'POST' });
  const { entries } = (await ask('/v1/audit')).json as { readonly entries: readonly AuditEntry[] };
  t.deepEqual(
    entries.map(({ actor, action, object }) => [actor, action, object]),
    [
      ['token:admin-of-all', 'create-run', '/v1/runs'],
      ['token:admin-of-all', 'cancel-run', `/v1/runs/${runId}/cancel`],
    ],
  );
  t.is(firstBreak(entries), undefined);
  t.is(firstBreak(entries.slice(1)), 1, 'one taken away');
  t.is(
    firstBreak(entries.map((entry) => (entry.position === 2 ? { ...entry, actor: 'eve' } : entry))),
    2,
    'one changed',
  );
});

test('strangers are slowed down, holders of tokens are not', async (t) => {
  const { ask } = await openApi(t, { strangersPerMinute: 5 });
  const statuses: number[] = [];
  for (let i = 0; i < 7; i++) statuses.push((await ask('/v1/runs', { token: 'sluice_wrong' })).status);
  t.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429]);
  t.is((await ask('/v1/runs')).status, 200);
});
