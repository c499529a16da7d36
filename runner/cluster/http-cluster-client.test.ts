import { createServer } from 'node:net';
import { once } from 'node:events';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SluiceError } from '../model/errors.ts';
import type { ClusterClient } from './cluster-client.ts';
import { ClusterError } from './cluster-error.ts';
import { connectCluster } from './connect.ts';
import { configMaps, nodes } from './resources.ts';
import { ScriptedServer, cut, json, named, page, reset, status } from './scripted-server-fixture.ts';
import type { Reply } from './scripted-server-fixture.ts';

const at = { namespace: 'n', name: 'a' };
const found = json(named('a', '7'));

async function failure(t: ExecutionContext, call: Promise<unknown>): Promise<ClusterError> {
  return await t.throwsAsync(call, { instanceOf: ClusterError });
}

const get = (client: ClusterClient): Promise<unknown> => client.get(configMaps, at);
const create = (client: ClusterClient): Promise<unknown> =>
  client.create(configMaps, { namespace: 'n' }, { metadata: { name: 'a' } });
const patch = (client: ClusterClient): Promise<unknown> => client.patch(configMaps, at, { data: { x: null } });
const remove = (client: ClusterClient): Promise<unknown> => client.delete(configMaps, at);

test('calls go to the path of their kind with the body and type that Kubernetes expects', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  server.script(found, found, found, found, found, found, page([], '1'));
  await client.get(nodes, { name: 'a' });
  await create(client);
  await client.apply(configMaps, at, { metadata: { name: 'a' } }, { fieldManager: 'sluice', force: true });
  await patch(client);
  await client.patchStatus(configMaps, at, {});
  await client.delete(configMaps, at, { propagation: 'Foreground', graceSeconds: 0, uid: 'u' });
  await client.list(configMaps, { namespace: 'n', labelSelector: 'a in (b,c)', fieldSelector: 'x!=y' });
  t.deepEqual(
    server.received.map(({ method, path, query, headers, body }) => [
      `${method} ${path} ${query.toString()}`,
      headers['content-type'],
      body,
    ]),
    [
      ['GET /api/v1/nodes/a ', undefined, ''],
      [
        'POST /api/v1/namespaces/n/configmaps ',
        'application/json',
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}',
      ],
      [
        'PATCH /api/v1/namespaces/n/configmaps/a fieldManager=sluice&force=true',
        'application/apply-patch+yaml',
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}',
      ],
      ['PATCH /api/v1/namespaces/n/configmaps/a ', 'application/merge-patch+json', '{"data":{"x":null}}'],
      ['PATCH /api/v1/namespaces/n/configmaps/a/status ', 'application/merge-patch+json', '{}'],
      [
        'DELETE /api/v1/namespaces/n/configmaps/a ',
        'application/json',
        '{"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Foreground","gracePeriodSeconds":0,"preconditions":{"uid":"u"}}',
      ],
      [
        'GET /api/v1/namespaces/n/configmaps labelSelector=a+in+%28b%2Cc%29&fieldSelector=x%21%3Dy&limit=500',
        undefined,
        '',
      ],
    ],
  );
  t.is(client.requests, 7);
  t.true(server.received.every(({ headers }) => headers.authorization === 'Bearer secret'));
});

test('a refusal carries the status, the reason, the causes and the words of the server, and names the call', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  const causes = [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.x' }];
  server.script(status(422, 'Invalid', { details: { causes } }), status(409, 'AlreadyExists'));
  const invalid = await failure(t, create(client));
  t.like(invalid, { code: 'ERR_SERVICE', status: 422, reason: 'Invalid', outcome: 'refused', causes });
  t.is(invalid.message, 'create configmaps n/a: it says Invalid');
  t.like(await failure(t, create(client)), { code: 'ERR_CONFLICT', reason: 'AlreadyExists', outcome: 'refused' });
});

for (const code of [429, 500, 502, 503, 504]) {
  test(`a read is repeated after ${code}`, async (t) => {
    const server = await ScriptedServer.start(t);
    const client = await server.connect(t);
    server.script(status(code, 'Whatever'), found);
    t.like(await get(client), { metadata: { resourceVersion: '7' } });
    t.is(client.requests, 2);
  });
}

for (const [how, reply] of [
  ['is cut before the answer', reset],
  ['is cut in the answer', cut('{"metadata":')],
] as const) {
  test(`a read is repeated when the connection ${how}`, async (t) => {
    const server = await ScriptedServer.start(t);
    const client = await server.connect(t);
    server.script(reply, found);
    t.like(await get(client), { metadata: { resourceVersion: '7' } });
  });

  for (const [name, change] of Object.entries({ create, patch, delete: remove })) {
    test(`a ${name} whose connection ${how} is not repeated, and says that it may have happened`, async (t) => {
      const server = await ScriptedServer.start(t);
      const client = await server.connect(t);
      server.script(reply, found);
      t.like(await failure(t, change(client)), { status: 0, reason: 'Unreachable', outcome: 'unknown' });
      t.is(server.received.length, 1);
    });
  }
}

const busy: readonly (readonly [title: string, reply: Reply])[] = [
  ['429', status(429, 'TooManyRequests')],
  ['503 with Retry-After', status(503, 'ServiceUnavailable', {}, { 'retry-after': '0' })],
];
for (const [title, reply] of busy) {
  test(`a change is repeated after ${title}, which is said before anything is done`, async (t) => {
    const server = await ScriptedServer.start(t);
    const client = await server.connect(t);
    server.script(reply, found, reply, found, reply, found);
    await create(client);
    await patch(client);
    await remove(client);
    t.is(client.requests, 6);
  });
}

for (const code of [500, 502, 503, 504]) {
  test(`a change is not repeated after ${code}, and says that it may have happened`, async (t) => {
    const server = await ScriptedServer.start(t);
    const client = await server.connect(t);
    server.script(status(code, 'InternalError'), found);
    t.like(await failure(t, create(client)), { status: code, outcome: 'unknown' });
    t.is(server.received.length, 1);
  });
}

test('what the server asks to wait counts: a repetition that would come after the deadline is not made', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  server.script(status(429, 'TooManyRequests', {}, { 'retry-after': '3600' }));
  t.like(await failure(t, get(client)), { status: 429, retryAfterMs: 3_600_000 });
  server.script(status(429, 'TooManyRequests', { details: { retryAfterSeconds: 3_600 } }));
  t.like(await failure(t, get(client)), { status: 429, retryAfterMs: 3_600_000 });
  server.script(status(429, 'TooManyRequests', {}, { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() }));
  const { retryAfterMs = 0 } = await failure(t, get(client));
  t.true(retryAfterMs > 3_000_000 && retryAfterMs <= 3_600_000);
});

test('a change waits for a server that is not there, as nothing was sent', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  const { port } = server;
  await server.stop();
  server.script(found);
  const created = create(client);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await server.listen(port);
  t.like(await created, { metadata: { resourceVersion: '7' } });
  t.is(server.received.length, 1);
});

test('a change is repeated when the connection breaks before TLS is agreed on', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  let refused = 0;
  server.onConnection((socket) => {
    if (refused++ === 0) socket.destroy();
  });
  server.script(found);
  t.like(await create(client), { metadata: { resourceVersion: '7' } });
  t.is(server.received.length, 1);
  t.is(refused, 2);
});

test('a call of which nothing was sent says so when the deadline comes', async (t) => {
  const listener = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.teardown(() => listener.close());
  const server = await ScriptedServer.start(t);
  const address = listener.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const kubeconfig = await server.kubeconfig({ token: 't' }, { server: `https://127.0.0.1:${port}` });
  const client = await connectCluster({ kubeconfig, limits: { deadlineMs: 2_000 } });
  t.teardown(() => client.close());
  t.like(await failure(t, create(client)), { reason: 'Unreachable', outcome: 'unsent' });
});

test('a server that does not answer: a read knows that nothing happened, a change that it may have', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t, { deadlineMs: 200 });
  t.like(await failure(t, get(client)), { reason: 'DeadlineExceeded', outcome: 'refused' });
  t.like(await failure(t, create(client)), { reason: 'DeadlineExceeded', outcome: 'unknown' });
});

test('a call whose turn did not come in time was not sent', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t, { concurrency: 1 });
  const first = get(client);
  await server.seen(1);
  const second = client.create(configMaps, at, { metadata: { name: 'a' } }, { deadlineMs: 100 });
  t.like(await failure(t, second), { reason: 'DeadlineExceeded', outcome: 'unsent' });
  await client.close();
  await t.throwsAsync(first, { code: 'ERR_ABORTED' });
  t.is(server.received.length, 1);
});

test('an aborted signal ends a call that is under way, that waits for its turn or for its next try', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t, { concurrency: 1 });
  const stop = new AbortController();
  const options = { signal: stop.signal };
  server.script(status(503, 'ServiceUnavailable', {}, { 'retry-after': '10' }));
  const between = client.get(configMaps, at, options);
  await server.seen(1);
  const underWay = client.get(configMaps, at, options);
  await server.seen(2);
  const queued = client.get(configMaps, at, options);
  stop.abort();
  for (const call of [between, underWay, queued, client.get(configMaps, at, options)]) {
    const error = await t.throwsAsync(call, { instanceOf: SluiceError });
    t.is(error.code, 'ERR_ABORTED');
  }
  t.is(server.received.length, 2);
});

test('closing ends what is under way, and may be done twice', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  const call = get(client);
  await server.seen(1);
  await client.close();
  await client.close();
  await t.throwsAsync(call, { code: 'ERR_ABORTED' });
  await t.throwsAsync(get(client), { code: 'ERR_ABORTED' });
});

test('a delete tells whether the object was there', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  server.script(json({ kind: 'Status', status: 'Success' }), status(404, 'NotFound', { details: { name: 'a' } }));
  t.true(await client.delete(configMaps, at));
  t.false(await client.delete(configMaps, at));
  server.script(status(409, 'Conflict'), status(409, 'Conflict'));
  t.false(await client.delete(configMaps, at, { uid: 'u' }));
  server.script(status(409, 'Conflict'));
  await t.throwsAsync(client.delete(configMaps, at, { uid: 'u', resourceVersion: '7' }), { code: 'ERR_CONFLICT' });
  t.like(await failure(t, client.delete(configMaps, at)), { reason: 'Conflict' });
  server.script(status(409, 'Conflict'));
  t.like(await failure(t, client.delete(configMaps, at, { resourceVersion: '7' })), { reason: 'Conflict' });
  t.regex(server.received.at(-1)?.body ?? '', /"preconditions":\{"resourceVersion":"7"\}/);
});

test('a 404 that is not about the object does not say that the object is gone', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  server.script((response) => response.writeHead(404).end('<html>no such page</html>'), status(404, 'NotFound'));
  t.like(await failure(t, remove(client)), { code: 'ERR_SERVICE', status: 404, reason: 'Unreadable' });
  t.like(await failure(t, remove(client)), { code: 'ERR_SERVICE', status: 404, reason: 'NotServed' });
});

test('an answer that is no object is not taken for one', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  const answers = ['', '{"metadata":{"name":"a"', '[]', '"text"', '{"metadata":{}}', '{"kind":"Status"}'];
  for (const text of answers) server.script((response) => response.end(text));
  for (const text of answers) t.is((await failure(t, get(client))).reason, 'Unreadable', text);
  server.script(
    (response) => response.end('{"items":[]}'),
    (response) => response.end('<html>'),
  );
  t.is((await failure(t, client.list(configMaps, {}))).reason, 'Unreadable');
  t.like(await failure(t, create(client)), { reason: 'Unreadable', outcome: 'unknown' });
});

test('a redirect is not followed: the token goes to one server only', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  server.script((response) => response.writeHead(307, { location: '/elsewhere' }).end());
  t.is((await failure(t, get(client))).status, 307);
  t.is(server.received.length, 1);
});

test('pages are joined; when the token for the next one has expired, the whole is read again', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t, { pageSize: 2 });
  server.script(page(['a', 'b'], '5', 'next'), page(['c'], '5'));
  const { items, resourceVersion } = await client.list(configMaps, { namespace: 'n' });
  t.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['a', 'b', 'c'],
  );
  t.is(resourceVersion, '5');
  server.script(page(['a', 'b'], '5', 'next'), status(410, 'Expired'), page(['a', 'c'], '9'));
  const again = await client.list(configMaps, { namespace: 'n' });
  t.deepEqual(
    again.items.map(({ metadata }) => metadata.name),
    ['a', 'c'],
  );
  t.is(again.resourceVersion, '9');
  t.deepEqual(
    server.received.map(({ query }) => [query.get('limit'), query.get('continue')]),
    [
      ['2', null],
      ['2', 'next'],
      ['2', null],
      ['2', 'next'],
      [null, null],
    ],
  );
});

test('no more calls are under way than allowed, and an open watch is none of them', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t, { concurrency: 2, perSecond: 1_000 });
  server.script(page([], '1'), (response) => response.flushHeaders());
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const watch = client.watch(configMaps, {}, { signal: stop.signal })[Symbol.asyncIterator]();
  await watch.next();
  const event = watch.next();
  await server.seen(2);
  let open = 0;
  let most = 0;
  const slow: Reply = async (response) => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setTimeout(resolve, 20));
    open -= 1;
    response.end(JSON.stringify(named('a', '1')));
  };
  server.script(...Array.from({ length: 10 }, () => slow));
  await Promise.all(Array.from({ length: 10 }, () => get(client)));
  t.is(most, 2);
  stop.abort();
  t.true((await event).done);
});

test('calls begin no faster than the rate allows', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t, { perSecond: 3 });
  server.script(...Array.from({ length: 7 }, () => found));
  const begun = performance.now();
  await Promise.all(Array.from({ length: 7 }, () => get(client)));
  t.true(performance.now() - begun > 1_500, 'the third second has begun');
});

test('a certificate that nobody vouches for is refused at once, and nothing is sent', async (t) => {
  const server = await ScriptedServer.start(t);
  const kubeconfig = await server.kubeconfig({ token: 't' }, { 'certificate-authority-data': undefined });
  const client = await connectCluster({ kubeconfig });
  t.teardown(() => client.close());
  const error = await failure(t, get(client));
  t.like(error, { reason: 'Untrusted', outcome: 'unsent', status: 0 });
  t.regex(error.hint ?? '', /certificate-authority-data/);
  t.is(server.received.length, 0);
});

test('other documents come as JSON, or as the text that they are', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  server.script(json({ major: '1' }), (response) => response.end('ok'));
  t.deepEqual(await client.raw('/version'), { major: '1' });
  t.is(await client.raw('/readyz'), 'ok');
});
